import { MusterError } from '@muster/base';
import semver from 'semver';

/** The refs of a repository: full names (`refs/heads/main`) to commit ids, tags peeled; `HEAD` is the default branch's commit. */
export interface Refs {
  /** Full name of the default branch; undefined for an empty or detached repository. */
  head: string | undefined;
  commits: Map<string, string>;
}

/** How a revision is found. `commit`: look it up as an object. */
export type Resolution =
  | { kind: 'resolved'; commit: string; ref: string }
  | { kind: 'commit'; id: string }
  | { kind: 'unknown' };

/**
 * What a targetRevision means: '' and HEAD the default branch; a full ref, branch, or tag by name; a commit id
 * (abbreviated from 7 digits on); or a semantic version range over the tags, the highest winning.
 */
export function resolveRevision(revision: string, refs: Refs): Resolution {
  const name = revision === '' ? 'HEAD' : revision;
  if (name === 'HEAD') {
    const ref = refs.head ?? 'HEAD';
    return found(refs, ref) ?? found(refs, 'HEAD') ?? { kind: 'unknown' };
  }
  for (const candidate of [name, `refs/heads/${name}`, `refs/tags/${name}`]) {
    const resolved = candidate.startsWith('refs/') ? found(refs, candidate) : undefined;
    if (resolved) return resolved;
  }
  if (/^[0-9a-f]{7,64}$/i.test(name)) return { kind: 'commit', id: name.toLowerCase() };
  return highestTag(name, refs) ?? { kind: 'unknown' };
}

/** A ref that mirrors do not keep, such as `refs/pull/7/head`: no branch and no tag. Nothing that git could take for an option or a refspec. */
export function isOtherRef(revision: string): boolean {
  return /^refs\/(?!heads\/|tags\/)[\w][\w./-]*$/.test(revision) && !revision.includes('..');
}

/** What a revision is by its full name: equal for those that mean the same ref. */
export function nameOfRef(revision: string, refs: Refs): string {
  const resolution = resolveRevision(revision, refs);
  return resolution.kind === 'resolved' ? resolution.ref : revision;
}

function found(refs: Refs, ref: string): Resolution | undefined {
  const commit = refs.commits.get(ref);
  return commit === undefined ? undefined : { kind: 'resolved', commit, ref };
}

function highestTag(range: string, refs: Refs): Resolution | undefined {
  if (!/[*xX^~<>=|]|\s-\s/.test(range) || semver.validRange(range) === null) return undefined;
  let best: { version: semver.SemVer; ref: string } | undefined;
  for (const ref of refs.commits.keys()) {
    if (!ref.startsWith('refs/tags/')) continue;
    const version = semver.parse(ref.slice('refs/tags/'.length).replace(/^v/, ''));
    if (version && semver.satisfies(version, range) && (!best || semver.gt(version, best.version)))
      best = { version, ref };
  }
  return best && found(refs, best.ref);
}

/** Reads `git ls-remote --symref` output: symbolic HEAD, heads, and tags (annotated ones peeled). */
export function parseLsRemote(output: string): Refs {
  const refs: Refs = { head: undefined, commits: new Map() };
  for (const line of output.split('\n')) {
    const [id, name] = line.split('\t') as [string, string | undefined];
    if (name === undefined) continue;
    if (id.startsWith('ref: ')) {
      if (name === 'HEAD') refs.head = id.slice(5);
    } else if (!/^[0-9a-f]{40,64}$/.test(id)) {
      throw new MusterError(
        'unavailable',
        'the repository answered with something that is not a list of refs',
      );
    } else if (name.endsWith('^{}')) {
      refs.commits.set(name.slice(0, -3), id);
    } else if (name === 'HEAD' || name.startsWith('refs/heads/') || name.startsWith('refs/tags/')) {
      refs.commits.set(name, id);
    }
  }
  return refs;
}

/** True when both name the same refs at the same commits. */
export function sameRefs(a: Refs, b: Refs): boolean {
  if (a.head !== b.head || a.commits.size !== b.commits.size) return false;
  for (const [name, commit] of a.commits) if (b.commits.get(name) !== commit) return false;
  return true;
}
