// Package storage keeps artifacts in a folder: kind/namespace/name/file.
package storage

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	securejoin "github.com/cyphar/filepath-securejoin"
	"github.com/fluxcd/pkg/apis/meta"
	"github.com/fluxcd/pkg/artifact/config"
	"github.com/fluxcd/pkg/artifact/digest"
	"github.com/fluxcd/pkg/sourceignore"
	"github.com/fluxcd/pkg/sourceignore/gitignore"
	"github.com/fluxcd/pkg/tar"
	godigest "github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Storage is a folder of artifacts.
type Storage struct {
	BasePath string
	Hostname string
	locks    sync.Map // file to *sync.Mutex
}

// ArchiveFileFilter says whether a path is left out of an archive.
type ArchiveFileFilter func(path string, info os.FileInfo) bool

// New answers the storage in the folder of the options, which must exist.
func New(options *config.Options) (*Storage, error) {
	info, err := os.Stat(options.StoragePath)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is no folder", options.StoragePath)
	}
	return &Storage{BasePath: options.StoragePath, Hostname: options.StorageAdvAddress}, nil
}

// NewArtifactFor answers an artifact that is yet to be stored.
func (s *Storage) NewArtifactFor(kind string, of metav1.Object, revision, file string) meta.Artifact {
	path := filepath.Join(strings.ToLower(kind), of.GetNamespace(), of.GetName(), file)
	artifact := meta.Artifact{Path: path, Revision: revision}
	s.SetArtifactURL(&artifact)
	return artifact
}

// SetArtifactURL puts the address under which it is served into the artifact.
func (s *Storage) SetArtifactURL(artifact *meta.Artifact) {
	if artifact.Path != "" {
		artifact.URL = s.url(artifact.Path)
	}
}

// SetHostname answers the URL with the storage's own host in it.
func (s *Storage) SetHostname(url string) string {
	if _, rest, found := strings.Cut(url, "://"); found {
		if _, path, found := strings.Cut(rest, "/"); found {
			return s.url(path)
		}
	}
	return ""
}

func (s *Storage) url(path string) string {
	return fmt.Sprintf("http://%s/%s", s.Hostname, strings.TrimLeft(path, "/"))
}

// LocalPath answers the artifact's file; empty for an artifact without a path.
func (s *Storage) LocalPath(artifact meta.Artifact) string {
	if artifact.Path == "" {
		return ""
	}
	path, err := securejoin.SecureJoin(s.BasePath, artifact.Path)
	if err != nil {
		return ""
	}
	return path
}

// ArtifactExist says whether the artifact's file is there.
func (s *Storage) ArtifactExist(artifact meta.Artifact) bool {
	info, err := os.Lstat(s.LocalPath(artifact))
	return err == nil && info.Mode().IsRegular()
}

// VerifyArtifact refuses a file that is not what its digest says.
func (s *Storage) VerifyArtifact(artifact meta.Artifact) error {
	wanted, err := godigest.Parse(artifact.Digest)
	if err != nil {
		return err
	}
	file, err := os.Open(s.LocalPath(artifact))
	if err != nil {
		return err
	}
	defer file.Close()
	verifier := wanted.Verifier()
	if _, err := io.Copy(verifier, file); err != nil {
		return err
	}
	if !verifier.Verified() {
		return fmt.Errorf("the file is not what the digest %s says", wanted)
	}
	return nil
}

// MkdirAll makes the artifact's folder.
func (s *Storage) MkdirAll(artifact meta.Artifact) error {
	return os.MkdirAll(filepath.Dir(s.LocalPath(artifact)), 0o700)
}

// Lock waits for the artifact's lock and answers what gives it back.
func (s *Storage) Lock(artifact meta.Artifact) (func(), error) {
	lock, _ := s.locks.LoadOrStore(s.LocalPath(artifact), &sync.Mutex{})
	lock.(*sync.Mutex).Lock()
	return lock.(*sync.Mutex).Unlock, nil
}

// Remove deletes the artifact's file.
func (s *Storage) Remove(artifact meta.Artifact) error {
	return os.Remove(s.LocalPath(artifact))
}

// RemoveAll deletes the artifact's folder and answers it; empty when there was none.
func (s *Storage) RemoveAll(artifact meta.Artifact) (string, error) {
	folder := filepath.Dir(s.LocalPath(artifact))
	if _, err := os.Stat(folder); err != nil {
		return "", nil
	}
	return folder, os.RemoveAll(folder)
}

// GarbageCollect deletes what is beside the artifact and answers the files.
func (s *Storage) GarbageCollect(_ context.Context, artifact meta.Artifact, _ time.Duration) ([]string, error) {
	current := s.LocalPath(artifact)
	entries, err := os.ReadDir(filepath.Dir(current))
	if err != nil {
		return nil, err
	}
	var deleted []string
	for _, entry := range entries {
		file := filepath.Join(filepath.Dir(current), entry.Name())
		if file == current || !entry.Type().IsRegular() {
			continue
		}
		if err := os.Remove(file); err != nil {
			return deleted, err
		}
		deleted = append(deleted, file)
	}
	return deleted, nil
}

// SourceIgnoreFilter leaves out what the patterns and Flux's own defaults say.
func SourceIgnoreFilter(patterns []gitignore.Pattern, domain []string) ArchiveFileFilter {
	ignored := sourceignore.NewDefaultMatcher(patterns, domain)
	return func(path string, info os.FileInfo) bool {
		return ignored.Match(strings.Split(path, string(filepath.Separator)), info.IsDir())
	}
}

// Archive stores a folder as the artifact's file, a tar in gzip.
func (s *Storage) Archive(artifact *meta.Artifact, folder string, filter ArchiveFileFilter) error {
	return s.write(artifact, func(file io.Writer) error {
		var options []tar.Option
		if filter != nil {
			options = append(options, tar.WithFilter(filter))
		}
		_, err := tar.Tar(folder, file, options...)
		return err
	})
}

// Copy stores what the reader holds as the artifact's file.
func (s *Storage) Copy(artifact *meta.Artifact, reader io.Reader) error {
	return s.write(artifact, func(file io.Writer) error {
		_, err := io.Copy(file, reader)
		return err
	})
}

// CopyFromPath stores a file as the artifact's.
func (s *Storage) CopyFromPath(artifact *meta.Artifact, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	return s.Copy(artifact, file)
}

// CopyToPath unpacks the artifact and puts one path of it elsewhere.
func (s *Storage) CopyToPath(artifact *meta.Artifact, from, to string) error {
	temporary, err := os.MkdirTemp("", "artifact-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	file, err := os.Open(s.LocalPath(*artifact))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := tar.Untar(file, temporary); err != nil {
		return err
	}
	source, err := securejoin.SecureJoin(temporary, from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.Rename(source, to)
}

// Symlink points a name beside the artifact at it and answers the URL of that.
func (s *Storage) Symlink(artifact meta.Artifact, name string) (string, error) {
	file := s.LocalPath(artifact)
	link := filepath.Join(filepath.Dir(file), name)
	if err := os.Remove(link); err != nil && !os.IsNotExist(err) {
		return "", err
	}
	if err := os.Symlink(file, link); err != nil {
		return "", err
	}
	return s.url(filepath.Join(filepath.Dir(artifact.Path), name)), nil
}

// write replaces the artifact's file at once, and notes its digest, size and time.
func (s *Storage) write(artifact *meta.Artifact, fill func(io.Writer) error) error {
	path := s.LocalPath(*artifact)
	file, err := os.CreateTemp(filepath.Dir(path), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	digester := digest.Canonical.Digester()
	err = fill(io.MultiWriter(file, digester.Hash()))
	info, statErr := file.Stat()
	for _, failed := range []error{err, statErr, file.Close()} {
		if failed != nil {
			return failed
		}
	}
	if err := os.Chmod(file.Name(), 0o600); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	size := info.Size()
	artifact.Digest, artifact.Size = digester.Digest().String(), &size
	artifact.LastUpdateTime = metav1.Now()
	return nil
}
