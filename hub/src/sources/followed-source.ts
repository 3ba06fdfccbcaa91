import { MusterError } from '@muster/base';
import { type OciReference, parseOciUrl } from './charts/oci-registry.ts';
import { type RepositoryUrl, parseRepositoryUrl } from './repository-url.ts';

export type RepositoryKind = 'git' | 'helm' | 'oci' | 'credentials';

/** The part of an Application's source that says what is read. */
export interface SourceLocation {
  repoURL: string;
  chart?: string | undefined;
  targetRevision?: string | undefined;
}

/** The address of a repository of some kind. */
export interface RepositoryAddress {
  kind: RepositoryKind;
  /** As people write it. */
  url: string;
  /** Equal for spellings that mean the same, and different for kinds that may be at one address. */
  normalised: string;
  /** How Git reaches it. */
  git?: RepositoryUrl;
}

/**
 * What of a source is followed: the address (as `addressOf` reads it) and the revision there. A chart of a Helm
 * repository is `chart@range` of the repository; in a registry (`oci://`, or no scheme) a chart is a repository of its
 * own and its revision a range; without `chart` a registry's revision is a tag, and `latest` when none is given.
 */
export function followedSource({ repoURL, chart, targetRevision = '' }: SourceLocation): {
  url: string;
  revision: string;
} {
  const url = repoURL.trim();
  if (chart) {
    const range = targetRevision.trim() || '*';
    if (/^https?:\/\//i.test(url)) return { url: `helm+${url}`, revision: `${chart}@${range}` };
    return { url: `oci://${url.replace(/^oci:\/\//, '').replace(/\/+$/, '')}/${chart}`, revision: range };
  }
  if (url.startsWith('oci://'))
    return { url, revision: targetRevision && targetRevision !== 'HEAD' ? targetRevision : 'latest' };
  return { url: repoURL, revision: targetRevision || 'HEAD' };
}

/** Reads an address: `oci://…`, `helm+https://…`, `credentials+…`, and whatever Git takes. Throws `invalid`. */
export function addressOf(text: string): RepositoryAddress {
  const written = text.trim();
  if (written.startsWith('oci://')) return registryAddress(written);
  const [, prefix, rest] = /^(helm|credentials)\+(.*)$/s.exec(written) ?? [];
  if (prefix === 'credentials' && rest!.startsWith('oci://'))
    return {
      ...registryAddress(rest!),
      kind: 'credentials',
      normalised: `credentials+${registryAddress(rest!).normalised}`,
    };
  const git = parseRepositoryUrl(rest ?? written);
  if (prefix === undefined) return { kind: 'git', url: git.url, normalised: git.normalised, git };
  if (prefix === 'helm' && git.protocol !== 'https' && git.protocol !== 'http')
    throw new MusterError('invalid', 'Helm repositories are reached by https or http');
  return { kind: prefix as RepositoryKind, url: git.url, normalised: `${prefix}+${git.normalised}` };
}

function registryAddress(url: string): RepositoryAddress {
  const { host, path }: OciReference = parseOciUrl(url);
  const plain = `oci://${host}${path === '' ? '' : `/${path}`}`;
  return { kind: 'oci', url: plain, normalised: plain };
}

/** Addresses of registrations that hold for an address too, the nearest first: prefixes of its path. */
export function prefixesOf({ kind, normalised }: RepositoryAddress): string[] {
  const plain = normalised.replace(/^(helm|credentials)\+/, '').replace(/\?.*$/, '');
  const parts = plain.split('/');
  const prefixes: string[] = [];
  for (let end = parts.length; end >= 3; end--) {
    const prefix = parts.slice(0, end).join('/');
    if (kind === 'oci') prefixes.push(prefix);
    prefixes.push(`credentials+${prefix}`);
    // Credentials of a host serve its registry as well.
    if (kind === 'oci') prefixes.push(`credentials+${prefix.replace(/^oci:/, 'https:')}`);
  }
  return prefixes;
}
