// Package config says where artifacts are kept and under which address they are served.
package config

import "github.com/spf13/pflag"

// Options are the flags of the storage that tests set.
type Options struct {
	StoragePath        string
	StorageAddress     string
	StorageAdvAddress  string
	ArtifactDigestAlgo string
}

// BindFlags takes the options from the command line.
func (o *Options) BindFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.StoragePath, "storage-path", "", "Folder of the artifacts.")
	flags.StringVar(&o.StorageAddress, "storage-addr", ":9090", "Address that artifacts are served on.")
	flags.StringVar(&o.StorageAdvAddress, "storage-adv-addr", "", "host:port of the URLs in artifacts.")
	flags.StringVar(&o.ArtifactDigestAlgo, "artifact-digest-algo", "sha256", "Algorithm of the digests.")
}
