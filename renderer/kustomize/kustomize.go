// Package kustomize builds kustomizations with kustomize's own library, and lays `spec.source.kustomize`
// over them with the same `kustomize edit` commands that Argo CD runs, on a copy in memory.
package kustomize

import (
	"encoding/json"
	"path"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/output"
)

// Request is `spec.source.kustomize` of an Application with the path of its kustomization.
type Request struct {
	Path                      string            `json:"path"`
	NamePrefix                string            `json:"namePrefix"`
	NameSuffix                string            `json:"nameSuffix"`
	Namespace                 string            `json:"namespace"`
	Images                    []string          `json:"images"`
	Replicas                  []Replica         `json:"replicas"`
	CommonLabels              map[string]string `json:"commonLabels"`
	LabelWithoutSelector      bool              `json:"labelWithoutSelector"`
	LabelIncludeTemplates     bool              `json:"labelIncludeTemplates"`
	ForceCommonLabels         bool              `json:"forceCommonLabels"`
	CommonAnnotations         map[string]string `json:"commonAnnotations"`
	CommonAnnotationsEnvsubst bool              `json:"commonAnnotationsEnvsubst"`
	ForceCommonAnnotations    bool              `json:"forceCommonAnnotations"`
	Patches                   []types.Patch     `json:"patches"`
	Components                []string          `json:"components"`
	IgnoreMissingComponents   bool              `json:"ignoreMissingComponents"`
	Env                       map[string]string `json:"env"`
}

// Replica sets the replicas of the workloads with a name; Count is an integer or a string of one.
type Replica struct {
	Name  string          `json:"name"`
	Count json.RawMessage `json:"count"`
}

// Render answers a request (JSON of Request) with an output.Result.
func Render(body []byte) (any, error) {
	var r Request
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, err
	}
	repo := newRepository(r.Path)
	file, err := kustomizationFile(repo, r.Path)
	if err != nil {
		return nil, err
	}
	if err := r.edit(repo, file); err != nil {
		return nil, repo.explain(file, err)
	}
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionUnspecified // as `kustomize build` does
	built, err := krusty.MakeKustomizer(options).Run(repo, repo.cwd)
	if err != nil {
		return nil, repo.explain(file, err)
	}
	result := &output.Result{Objects: []output.Object{}}
	for _, resource := range built.Resources() {
		object, err := resource.MarshalJSON()
		if err != nil {
			return nil, repo.explain(file, err)
		}
		result.Objects = append(result.Objects, output.Object{File: file, Object: object})
	}
	return result, nil
}

// kustomizationFile is the one kustomization file of a directory, root-relative.
func kustomizationFile(repo *repository, dir string) (string, error) {
	found := ""
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if !repo.Exists(name) {
			continue
		}
		if found != "" {
			return "", &fault.Fault{Code: fault.Invalid, File: path.Join(dir, name), Message: dir + " holds more than one kustomization file: " + path.Base(found) + " and " + name}
		}
		found = path.Join(dir, name)
	}
	if repo.refused != nil {
		return "", repo.refused
	}
	if found == "" {
		return "", &fault.Fault{Code: fault.NotFound, File: dir, Message: "there is no kustomization file in " + dir}
	}
	return found, nil
}

var lineOf = regexp.MustCompile(`line (\d+)`)

// explain prefers what the renderer itself refused or misses to what kustomize says after trying everything.
func (r *repository) explain(file string, err error) error {
	if r.refused != nil {
		return r.refused
	}
	message := strings.ReplaceAll(err.Error(), mount+"/", "")
	for _, switched := range []string{"enable-helm", "enable-exec", "enable-alpha-plugins", "plugins disabled", "plugin disabled"} {
		if strings.Contains(message, switched) {
			return &fault.Fault{Code: fault.Unsupported, File: file, Message: "plugins, exec functions and charts are not run while rendering: " + message}
		}
	}
	if gone := r.missing(); gone != nil {
		return gone
	}
	f := &fault.Fault{Code: fault.Invalid, File: file, Message: message}
	if found := lineOf.FindStringSubmatch(message); found != nil {
		f.Line, _ = strconv.Atoi(found[1])
	}
	return f
}
