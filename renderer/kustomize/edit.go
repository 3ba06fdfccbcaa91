package kustomize

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/kv"
	"sigs.k8s.io/kustomize/api/pkg/loader"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/edit/add"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/edit/set"
	"sigs.k8s.io/yaml"

	"muster.dev/renderer/envsubst"
	"muster.dev/renderer/fault"
)

// edit applies the options in Argo CD's order, each by the command that Argo CD would run.
func (r *Request) edit(repo *repository, file string) error {
	for _, arguments := range r.commands(repo) {
		if err := run(repo, arguments); err != nil {
			return err
		}
	}
	if err := r.addPatches(repo, file); err != nil {
		return err
	}
	components := r.Components
	if r.IgnoreMissingComponents {
		components = slices.DeleteFunc(slices.Clone(components), func(c string) bool { return !repo.Exists(c) })
	}
	if len(components) == 0 {
		return nil
	}
	for _, c := range components {
		if !repo.Exists(c) {
			return repo.refuse(&fault.Fault{Code: fault.NotFound, File: file, Message: "spec.source.kustomize.components names " + c + ", which does not exist", Hint: "Set ignoreMissingComponents where it may be absent."})
		}
	}
	return run(repo, append([]string{"add", "component", "--"}, components...))
}

func (r *Request) commands(repo *repository) [][]string {
	var commands [][]string
	if r.NamePrefix != "" {
		commands = append(commands, []string{"set", "nameprefix", "--", r.NamePrefix})
	}
	if r.NameSuffix != "" {
		commands = append(commands, []string{"set", "namesuffix", "--", r.NameSuffix})
	}
	if len(r.Images) > 0 {
		images := []string{"set", "image", "--"}
		for _, image := range r.Images {
			images = append(images, envsubst.Expand(image, r.Env))
		}
		commands = append(commands, images)
	}
	if len(r.Replicas) > 0 {
		replicas := []string{"set", "replicas", "--"}
		for _, replica := range r.Replicas {
			replicas = append(replicas, replica.Name+"="+strings.Trim(string(replica.Count), `"`))
		}
		commands = append(commands, replicas)
	}
	if len(r.CommonLabels) > 0 {
		commands = append(commands, r.labelCommand())
	}
	if len(r.CommonAnnotations) > 0 {
		commands = append(commands, r.annotationCommand())
	}
	if r.Namespace != "" {
		commands = append(commands, []string{"set", "namespace", "--", r.Namespace})
	}
	return commands
}

func (r *Request) labelCommand() []string {
	command := []string{"add", "label"}
	if r.ForceCommonLabels {
		command = append(command, "--force")
	}
	if r.LabelWithoutSelector {
		command = append(command, "--without-selector")
	}
	if r.LabelIncludeTemplates {
		command = append(command, "--include-templates")
	}
	command = append(command, "--")
	for _, key := range slices.Sorted(maps.Keys(r.CommonLabels)) {
		command = append(command, key+":"+envsubst.Expand(r.CommonLabels[key], r.Env))
	}
	return command
}

func (r *Request) annotationCommand() []string {
	command := []string{"add", "annotation"}
	if r.ForceCommonAnnotations {
		command = append(command, "--force")
	}
	command = append(command, "--")
	for _, key := range slices.Sorted(maps.Keys(r.CommonAnnotations)) {
		value := r.CommonAnnotations[key]
		if r.CommonAnnotationsEnvsubst {
			value = envsubst.Expand(value, r.Env)
		}
		command = append(command, key+":"+value)
	}
	return command
}

// run executes one `kustomize edit` command on the repository's working directory.
func run(repo *repository, arguments []string) error {
	dependencies := provider.NewDefaultDepProvider()
	validator := dependencies.GetFieldValidator()
	values := kv.NewLoader(loader.NewFileLoaderAtCwd(repo), validator)
	root := &cobra.Command{Use: "edit", SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.AddCommand(
		set.NewCmdSet(repo, values, validator, dependencies.GetResourceFactory()),
		add.NewCmdAdd(repo, values, dependencies.GetResourceFactory()),
	)
	root.SetArgs(arguments)
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	if err := root.Execute(); err != nil {
		return fmt.Errorf("spec.source.kustomize: `kustomize edit %s`: %w", strings.Join(arguments[:2], " "), err)
	}
	return nil
}

// addPatches appends to the kustomization's own patches, as Argo CD does.
func (r *Request) addPatches(repo *repository, file string) error {
	if len(r.Patches) == 0 {
		return nil
	}
	name := strings.TrimPrefix(file, strings.TrimSuffix(r.Path, "/")+"/")
	if !slices.Contains(konfig.RecognizedKustomizationFileNames(), name) {
		name = file
	}
	data, err := repo.ReadFile(name)
	if err != nil {
		return err
	}
	fields := map[string]any{}
	if err := yaml.Unmarshal(data, &fields); err != nil {
		return err
	}
	patches, _ := fields["patches"].([]any)
	for _, patch := range r.Patches {
		patches = append(patches, patch)
	}
	fields["patches"] = patches
	edited, err := yaml.Marshal(fields)
	if err != nil {
		return err
	}
	return repo.WriteFile(name, edited)
}
