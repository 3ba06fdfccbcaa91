package helm

import (
	"bytes"
	"errors"
	"io/fs"
	"path"
	"strings"
	"time"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/host"
)

// loadChart reads a chart's directory through the host and hands the files to Helm's own loader.
func loadChart(dir string) (*chart.Chart, error) {
	if _, ok, err := host.Read(chartFile(dir, "Chart.yaml")); err != nil {
		return nil, err
	} else if !ok {
		return nil, &fault.Fault{Code: fault.NotFound, File: chartFile(dir, "Chart.yaml"), Message: "there is no Helm chart at " + dir}
	}
	rules, err := ignoreRules(dir)
	if err != nil {
		return nil, err
	}
	files, err := readTree(dir, "", rules, nil)
	if err != nil {
		return nil, err
	}
	ch, err := loader.LoadFiles(files)
	if err != nil {
		return nil, loadFault(dir, err)
	}
	return ch, nil
}

func ignoreRules(dir string) (*ignore.Rules, error) {
	rules := ignore.Empty()
	text, ok, err := host.Read(chartFile(dir, ignore.HelmIgnore))
	if err != nil {
		return nil, err
	}
	if ok {
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, &fault.Fault{Code: fault.Invalid, File: chartFile(dir, ignore.HelmIgnore), Message: err.Error()}
		}
	}
	rules.AddDefaults()
	return rules, nil
}

var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

func readTree(root, under string, rules *ignore.Rules, files []*archive.BufferedFile) ([]*archive.BufferedFile, error) {
	entries, ok, err := host.List(chartFile(root, under))
	if err != nil || !ok {
		return files, err
	}
	for _, entry := range entries {
		name := path.Join(under, entry.Name)
		if rules.Ignore(name, info{entry}) {
			continue
		}
		if entry.Type == "dir" {
			if files, err = readTree(root, name, rules, files); err != nil {
				return nil, err
			}
			continue
		}
		data, ok, err := host.Read(chartFile(root, name))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, &fault.Fault{Code: fault.NotFound, File: chartFile(root, name), Message: "a symbolic link in the chart leads nowhere"}
		}
		files = append(files, &archive.BufferedFile{Name: name, Data: bytes.TrimPrefix(data, byteOrderMark)})
	}
	return files, nil
}

// installable refuses library charts and charts whose declared dependencies are not vendored.
func installable(ch *chart.Chart, dir string) error {
	file := chartFile(dir, "Chart.yaml")
	if kind := ch.Metadata.Type; kind != "" && kind != "application" {
		return &fault.Fault{Code: fault.Invalid, File: file, Message: kind + " charts are not installable"}
	}
	var missing []string
	for _, wanted := range ch.Metadata.Dependencies {
		if !vendored(ch, wanted.Name) {
			missing = append(missing, wanted.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return &fault.Fault{
		Code: fault.Invalid, File: file,
		Message: "found in Chart.yaml, but missing in charts/ directory: " + strings.Join(missing, ", "),
		Hint:    "Run `helm dependency build` and commit the charts/ folder: rendering has no network.",
	}
}

func vendored(ch *chart.Chart, name string) bool {
	for _, dependency := range ch.Dependencies() {
		if dependency.Name() == name {
			return true
		}
	}
	return false
}

func chartFile(dir, name string) string { return path.Join(dir, name) }

func loadFault(dir string, err error) error {
	if _, ok := errors.AsType[*fault.Fault](err); ok {
		return err
	}
	file := ""
	for _, known := range []string{"Chart.yaml", "values.yaml", "Chart.lock", "requirements.yaml", "requirements.lock"} {
		if strings.Contains(err.Error(), "cannot load "+known) {
			file = chartFile(dir, known)
		}
	}
	return &fault.Fault{Code: fault.Invalid, File: file, Line: lineIn(err.Error()), Message: err.Error()}
}

// info is an entry as an ignore rule wants to see it.
type info struct{ entry host.Entry }

func (i info) Name() string       { return i.entry.Name }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return 0 }
func (i info) ModTime() time.Time { return time.Time{} }
func (i info) IsDir() bool        { return i.entry.Type == "dir" }
func (i info) Sys() any           { return nil }
