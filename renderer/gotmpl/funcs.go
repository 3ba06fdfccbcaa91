package gotmpl

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
	"github.com/gosimple/slug"
	"sigs.k8s.io/yaml"
)

const (
	maxName      = 253
	maxTplDepth  = 3
	slugMaxBytes = 50
)

var notInNames = regexp.MustCompile(`[^-a-z0-9.]`)

// functions are sprig's without those that look at the process or the network, and Argo CD's own
// but for tpl, which each field has its own of.
func functions() template.FuncMap {
	all := template.FuncMap(sprig.GenericFuncMap())
	for _, name := range []string{"env", "expandenv", "getHostByName"} {
		delete(all, name)
	}
	all["normalize"] = normalize
	all["slugify"] = slugify
	all["toYaml"] = toYaml
	all["fromYaml"] = fromYaml
	all["fromYamlArray"] = fromYamlArray
	all["keys"] = keys
	all["values"] = values
	return all
}

// keys is sprig's in a fixed order: a map's own would make the same set render differently each time.
func keys(dicts ...map[string]any) []string {
	out := []string{}
	for _, dict := range dicts {
		out = append(out, slices.Sorted(maps.Keys(dict))...)
	}
	return out
}

// values is sprig's in the order of the keys.
func values(dict map[string]any) []any {
	out := make([]any, 0, len(dict))
	for _, key := range keys(dict) {
		out = append(out, dict[key])
	}
	return out
}

// normalize makes a DNS subdomain name: lower case, at most 253 bytes, no `-` or `.` at the ends.
func normalize(name string) string {
	name = notInNames.ReplaceAllString(strings.ToLower(name), "-")
	return strings.Trim(name[:min(len(name), maxName)], "-.")
}

// slugify takes [max length [cut at words]] and the name, which comes last so that it can be piped in.
func slugify(args ...any) string {
	limit, atWords, name := slugMaxBytes, true, ""
	for i, arg := range args {
		switch {
		case i == len(args)-1:
			name = arg.(string)
		case i == 0:
			limit = arg.(int)
		case i == 1:
			atWords = arg.(bool)
		}
	}
	slug.MaxLength, slug.EnableSmartTruncate = limit, atWords
	return slug.Make(normalize(name))
}

// slugOf is what the pullRequest generator makes of a branch: other scripts are spelled in Latin letters.
func slugOf(text string) string {
	slug.MaxLength, slug.EnableSmartTruncate, slug.CustomSub = slugMaxBytes, true, map[string]string{"_": "-"}
	defer func() { slug.CustomSub = nil }()
	return slug.Make(text)
}

func toYaml(v any) (string, error) {
	out, err := yaml.Marshal(v)
	return strings.TrimSuffix(string(out), "\n"), err
}

func fromYaml(text string) (map[string]any, error) {
	out := map[string]any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		return nil, err
	}
	return out, nil
}

func fromYamlArray(text string) ([]any, error) {
	out := []any{}
	if err := yaml.Unmarshal([]byte(text), &out); err != nil {
		return nil, err
	}
	return out, nil
}

var errTplDepth = errors.New("tpl may be nested at most 3 deep")
