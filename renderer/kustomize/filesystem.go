package kustomize

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"muster.dev/renderer/fault"
	"muster.dev/renderer/host"
)

// mount is where kustomize sees the repository. Below the root, so that `..` out of the repository shows.
const mount = "/repository"

var errReadOnly = errors.New("the repository is read-only while it is rendered")

// repository is the file system that kustomize sees: the host's files under mount, with the edited
// kustomization laid over them. Relative paths start at cwd.
type repository struct {
	cwd     string
	written map[string][]byte
	seen    map[string]host.Kind
	// kustomizations are the files that were read as such, in order, with what they name.
	kustomizations []kustomization
	// refused is the first thing that may not be; kustomize buries it under what it tries next.
	refused error
}

var _ filesys.FileSystem = (*repository)(nil)

func newRepository(dir string) *repository {
	return &repository{cwd: path.Join(mount, dir), written: map[string][]byte{}, seen: map[string]host.Kind{}}
}

func (r *repository) absolute(name string) string {
	if !path.IsAbs(name) {
		name = path.Join(r.cwd, name)
	}
	return path.Clean(name)
}

// inside is the root-relative form of a path, or an error where it leads out of the repository.
func (r *repository) inside(name string) (string, error) {
	full := r.absolute(name)
	if full == mount {
		return ".", nil
	}
	if !strings.HasPrefix(full, mount+"/") {
		return "", r.refuse(&fault.Fault{Code: fault.Invalid, Message: "path " + name + " leads out of the repository"})
	}
	return strings.TrimPrefix(full, mount+"/"), nil
}

func (r *repository) refuse(err error) error {
	if r.refused == nil {
		r.refused = err
	}
	return err
}

func (r *repository) kind(name string) host.Kind {
	clean, err := r.inside(name)
	if err != nil {
		return host.Absent
	}
	if _, ok := r.written[clean]; ok {
		return host.File
	}
	if kind, ok := r.seen[clean]; ok {
		return kind
	}
	kind, err := host.Stat(clean)
	if err != nil {
		_ = r.refuse(err)
		return host.Absent
	}
	r.seen[clean] = kind
	return kind
}

func (r *repository) Exists(name string) bool { return r.kind(name) != host.Absent }

func (r *repository) IsDir(name string) bool { return r.kind(name) == host.Dir }

func (r *repository) ReadFile(name string) ([]byte, error) {
	clean, err := r.inside(name)
	if err != nil {
		return nil, err
	}
	data, ok := r.written[clean]
	if !ok {
		switch r.kind(name) {
		case host.Absent:
			return nil, &fs.PathError{Op: "open", Path: clean, Err: fs.ErrNotExist}
		case host.Dir:
			return nil, &fs.PathError{Op: "read", Path: clean, Err: errors.New("is a directory")}
		}
		if data, _, err = host.Read(clean); err != nil {
			return nil, r.refuse(err)
		}
	}
	if isKustomization(clean) {
		if err := r.inspect(clean, data); err != nil {
			return nil, r.refuse(err)
		}
	}
	return data, nil
}

func (r *repository) WriteFile(name string, data []byte) error {
	clean, err := r.inside(name)
	if err != nil {
		return err
	}
	r.written[clean] = data
	return nil
}

func (r *repository) ReadDir(name string) ([]string, error) {
	clean, err := r.inside(name)
	if err != nil {
		return nil, err
	}
	entries, ok, err := host.List(clean)
	if err != nil {
		return nil, r.refuse(err)
	}
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: clean, Err: fs.ErrNotExist}
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		names = append(names, entry.Name)
	}
	return names, nil
}

func (r *repository) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	full := r.absolute(name)
	if _, err := r.inside(full); err != nil {
		return "", "", err
	}
	switch r.kind(full) {
	case host.Dir:
		return filesys.ConfirmedDir(full), "", nil
	case host.File:
		return filesys.ConfirmedDir(path.Dir(full)), path.Base(full), nil
	}
	return "", "", &fs.PathError{Op: "lstat", Path: full, Err: fs.ErrNotExist}
}

// Glob answers in the form of the pattern; `*` and `?` work in the last segment, as kustomize needs them.
func (r *repository) Glob(pattern string) ([]string, error) {
	if !strings.ContainsAny(pattern, `*?[\`) {
		if r.Exists(pattern) {
			return []string{pattern}, nil
		}
		return nil, nil
	}
	dir, last := path.Split(pattern)
	names, err := r.ReadDir(path.Clean("./" + dir))
	if err != nil {
		return nil, nil //nolint:nilerr // as filepath.Glob: what cannot be read matches nothing
	}
	var found []string
	for _, name := range names {
		if ok, err := path.Match(last, name); err != nil {
			return nil, err
		} else if ok {
			found = append(found, dir+name)
		}
	}
	return found, nil
}

func (r *repository) Walk(string, filepath.WalkFunc) error { return errReadOnly }

func (r *repository) Open(name string) (filesys.File, error) {
	data, err := r.ReadFile(name)
	if err != nil {
		return nil, err
	}
	memory := filesys.MakeFsInMemory()
	if err := memory.WriteFile("/file", data); err != nil {
		return nil, err
	}
	return memory.Open("/file")
}

func (r *repository) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (r *repository) Mkdir(string) error                  { return errReadOnly }
func (r *repository) MkdirAll(string) error               { return errReadOnly }
func (r *repository) RemoveAll(string) error              { return errReadOnly }
