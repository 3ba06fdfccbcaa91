package kustomize

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"

	"muster.dev/renderer/fault"
)

// kustomization is what a kustomization file names, for errors that say more than kustomize's own.
type kustomization struct {
	file  string
	names []reference
}

type reference struct{ field, name string }

// Fields whose entries are files or directories (or, in the last three, inline YAML).
var referring = []string{"resources", "bases", "components", "crds", "configurations", "generators", "transformers", "validators"}

// Fields that would start another program or fetch a chart.
var unsupported = []string{"helmCharts", "helmChartInflationGenerator", "helmGlobals"}

func isKustomization(file string) bool {
	return slices.Contains(konfig.RecognizedKustomizationFileNames(), path.Base(file))
}

// inspect refuses what rendering cannot do (remote bases, inflating charts) by name, before kustomize tries it.
func (r *repository) inspect(file string, data []byte) error {
	var fields map[string]any
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return nil //nolint:nilerr // kustomize itself says what is wrong with it
	}
	for _, field := range unsupported {
		if _, ok := fields[field]; ok {
			return &fault.Fault{
				Code: fault.Unsupported, File: file, Message: file + " uses " + field + ", which Muster does not inflate",
				Hint: "Make the chart an Application of its own.",
			}
		}
	}
	found := kustomization{file: file}
	for _, field := range referring {
		entries, _ := fields[field].([]any)
		for _, entry := range entries {
			name, ok := entry.(string)
			if !ok || strings.Contains(name, "\n") {
				continue
			}
			found.names = append(found.names, reference{field, name})
			if looksRemote(name) && !r.Exists(path.Join(mount, path.Dir(file), name)) {
				return &fault.Fault{
					Code: fault.Unsupported, File: file, Message: fmt.Sprintf("%s names the remote base %s under %s; rendering has no network", file, name, field),
					Hint: "Copy it into the repository.",
				}
			}
		}
	}
	r.kustomizations = append(r.kustomizations, found)
	return nil
}

var hostFirst = regexp.MustCompile(`^[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d+)?/[^/]+/`)

func looksRemote(name string) bool {
	return strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "git::") ||
		strings.Contains(name, "?ref=") || strings.Contains(name, ".git/") || strings.HasSuffix(name, ".git") ||
		(!strings.HasPrefix(name, ".") && hostFirst.MatchString(name))
}

// missing says which file or directory that a kustomization names does not exist, if that is what went wrong.
func (r *repository) missing() error {
	for _, k := range r.kustomizations {
		for _, ref := range k.names {
			if !r.Exists(path.Join(mount, path.Dir(k.file), ref.name)) {
				return &fault.Fault{Code: fault.NotFound, File: k.file, Message: fmt.Sprintf("%s names %s under %s, which does not exist", k.file, ref.name, ref.field)}
			}
		}
	}
	return nil
}
