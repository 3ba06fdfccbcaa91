package helm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"strings"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"

	"muster.dev/renderer/envsubst"
	"muster.dev/renderer/fault"
	"muster.dev/renderer/host"
)

// composeValues merges everything that is laid over the chart's own values, weakest first.
func composeValues(r *Request) (map[string]any, error) {
	values := map[string]any{}
	for _, file := range r.ValueFiles {
		found, err := r.valueFile(envsubst.Expand(file, r.Env))
		if err != nil {
			return nil, err
		}
		values = loader.MergeMaps(values, found)
	}
	inline, err := r.inlineValues()
	if err != nil {
		return nil, err
	}
	values = loader.MergeMaps(values, inline)
	return values, r.setParameters(values)
}

func (r *Request) valueFile(name string) (map[string]any, error) {
	file, err := r.resolve(name)
	if err != nil {
		return nil, err
	}
	data, ok, err := host.Read(file)
	if err != nil {
		return nil, err
	}
	if !ok {
		if r.IgnoreMissingValueFiles {
			return nil, nil
		}
		return nil, &fault.Fault{Code: fault.NotFound, File: file, Message: "value file " + name + " does not exist", Hint: "Set ignoreMissingValueFiles where it may be absent."}
	}
	values, err := loader.LoadValues(bytes.NewReader(data))
	if err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, File: file, Line: lineIn(err.Error()), Message: fmt.Sprintf("failed to parse %s: %v", file, err)}
	}
	return values, nil
}

// resolve makes a path of the spec root-relative: `/x` means the repository's root, else the chart's folder.
func (r *Request) resolve(name string) (string, error) {
	if strings.Contains(name, "://") {
		return "", &fault.Fault{Code: fault.Unsupported, Message: name + " is a URL; rendering has no network", Hint: "Keep the file in the repository."}
	}
	if strings.HasPrefix(name, "$") {
		return "", &fault.Fault{Code: fault.Unsupported, Message: name + " refers to another source, which is not supported yet"}
	}
	if strings.HasPrefix(name, "/") {
		return host.Clean(path.Clean(name)[1:])
	}
	return host.Clean(path.Join(r.Path, name))
}

// inlineValues is valuesObject, or values where that is not set.
func (r *Request) inlineValues() (map[string]any, error) {
	text, field := []byte(r.Values), "spec.source.helm.values"
	if len(r.ValuesObject) > 0 && string(r.ValuesObject) != "null" {
		text, field = []byte(r.ValuesObject), "spec.source.helm.valuesObject"
	}
	values, err := loader.LoadValues(bytes.NewReader(text))
	if err != nil {
		return nil, &fault.Fault{Code: fault.Invalid, File: field, Line: lineIn(err.Error()), Message: fmt.Sprintf("%s is not YAML: %v", field, err)}
	}
	return values, nil
}

func (r *Request) setParameters(values map[string]any) error {
	// --set before --set-string before --set-file, whatever their order in the spec, as Helm has it.
	for _, asString := range []bool{false, true} {
		for _, p := range r.Parameters {
			if p.ForceString != asString {
				continue
			}
			set := strvals.ParseInto
			if asString {
				set = strvals.ParseIntoString
			}
			if err := set(p.Name+"="+escapeCommas(envsubst.Expand(p.Value, r.Env)), values); err != nil {
				return &fault.Fault{Code: fault.Invalid, Message: "parameter " + p.Name + " cannot be set: its name or the shape of its value is wrong"}
			}
		}
	}
	for _, p := range r.FileParameters {
		if err := r.setFile(p, values); err != nil {
			return err
		}
	}
	return nil
}

func (r *Request) setFile(p FileParameter, values map[string]any) error {
	file, err := r.resolve(envsubst.Expand(p.Path, r.Env))
	if err != nil {
		return err
	}
	data, ok, err := host.Read(file)
	if err != nil {
		return err
	}
	if !ok {
		return &fault.Fault{Code: fault.NotFound, File: file, Message: "file parameter " + p.Name + ": " + p.Path + " does not exist"}
	}
	read := func([]rune) (any, error) { return string(data), nil }
	if err := strvals.ParseIntoFile(p.Name+"=file", values, read); err != nil {
		return &fault.Fault{Code: fault.Invalid, Message: fmt.Sprintf("file parameter %s: %v", p.Name, err)}
	}
	return nil
}

var bareComma = regexp.MustCompile(`(\\?),`)

// escapeCommas keeps a value with commas one value, but leaves Helm's list form `{a,b}` alone, as Argo CD does.
func escapeCommas(value string) string {
	if strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}") {
		return value
	}
	return bareComma.ReplaceAllString(value, `\,`)
}

var secretKey = regexp.MustCompile(`(?i)passw|secret|token|credential|api-?key|private|auth`)

// withoutSecrets masks, in an error that quotes values, the strings whose key says that they are secret.
func withoutSecrets(err error, values map[string]any) error {
	f := *fault.From(err)
	maskStrings(values, false, func(secret string) { f.Message = strings.ReplaceAll(f.Message, secret, "***") })
	return &f
}

func maskStrings(value any, secret bool, mask func(string)) {
	switch v := value.(type) {
	case map[string]any:
		for key, member := range v {
			maskStrings(member, secret || secretKey.MatchString(key), mask)
		}
	case []any:
		for _, member := range v {
			maskStrings(member, secret, mask)
		}
	case string:
		if secret && len(v) >= 4 {
			mask(v)
		}
	case json.Number, float64, int64:
		if text := fmt.Sprint(v); secret && len(text) >= 4 {
			mask(text)
		}
	}
}
