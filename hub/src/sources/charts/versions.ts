/**
 * Versions and ranges as Helm and Argo CD read them (github.com/Masterminds/semver, version 3). They differ from npm's:
 * `1.2` and `=1.2` mean any 1.2.x, `>1` starts at 2.0.0, a range takes pre-releases only where one of its parts names
 * one, and then for all of its parts.
 */
import semver from 'semver';

/** A version, with the text that it was written as. */
export interface Version {
  text: string;
  semver: semver.SemVer;
}

interface Comparator {
  operator: string;
  version: semver.SemVer;
  /** How much of it was written: the rest is any. */
  given: 'none' | 'major' | 'minor' | 'patch';
}

/** Groups of which one must hold; within a group all. */
export interface Range {
  groups: { comparators: Comparator[]; prereleases: boolean }[];
}

const IDENTIFIERS = '[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*';
const VERSION = new RegExp(
  `^v?(\\d+)(?:\\.(\\d+))?(?:\\.(\\d+))?(?:-(${IDENTIFIERS}))?(?:\\+(${IDENTIFIERS}))?$`,
);
const PART = `v?(\\d+|[xX*])(?:\\.(\\d+|[xX*]))?(?:\\.(\\d+|[xX*]))?(-${IDENTIFIERS})?(?:\\+${IDENTIFIERS})?`;
const OPERATOR = '=|!=|>=|=>|<=|=<|>|<|~>|~|\\^|';
const COMPARATOR = new RegExp(`^(${OPERATOR})\\s*${PART}$`);
const NEXT = new RegExp(`^(?:${OPERATOR})\\s*${PART.replaceAll('(\\d', '(?:\\d').replace('(-', '(?:-')}`);
const HYPHEN = /(\S+)\s+-\s+(\S+)/g;
const MAX_LENGTH = 512;
const MAX_GROUPS = 32;

/** Undefined for what is no version. `v1.2` is one: 1.2.0. */
export function parseVersion(text: string): Version | undefined {
  const match = text.length <= 256 ? VERSION.exec(text) : null;
  if (!match) return undefined;
  const [, major, minor = '0', patch = '0', pre] = match;
  const parsed = build(major!, minor, patch, pre);
  return parsed && { text, semver: parsed };
}

function build(major: string, minor: string, patch: string, pre?: string): semver.SemVer | undefined {
  const numbers = [major, minor, patch].map(Number);
  if (!numbers.every(Number.isSafeInteger)) return undefined;
  // Leading zeros of a numeric identifier are no part of a semantic version.
  if (pre?.split('.').some((part) => /^0\d+$/.test(part))) return undefined;
  return semver.parse(`${numbers.join('.')}${pre ? `-${pre}` : ''}`) ?? undefined;
}

/** Undefined for what is no range. The empty range takes every release. */
export function parseRange(text: string): Range | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const groups = text.trim() === '' ? ['*'] : text.replace(HYPHEN, '>=$1, <=$2').split('||');
  if (groups.length > MAX_GROUPS) return undefined;
  const range: Range = { groups: [] };
  for (const group of groups) {
    const comparators = parseGroup(group.trim());
    if (!comparators) return undefined;
    const prereleases = comparators.some(({ version }) => version.prerelease.length > 0);
    range.groups.push({ comparators, prereleases });
  }
  return range;
}

function parseGroup(text: string): Comparator[] | undefined {
  const comparators: Comparator[] = [];
  let rest = text;
  for (;;) {
    const [found] = NEXT.exec(rest) ?? [];
    const comparator = found === undefined ? undefined : parseComparator(found.trim());
    if (!comparator) return undefined;
    comparators.push(comparator);
    const after = rest.slice(found!.length);
    if (after.trim() === '') return comparators;
    const separator = /^\s*,\s*|^\s+/.exec(after);
    if (!separator) return undefined;
    rest = after.slice(separator[0].length);
  }
}

function parseComparator(text: string): Comparator | undefined {
  const match = COMPARATOR.exec(text);
  if (!match) return undefined;
  const [, operator, major = '', minor, patch, pre] = match as unknown as [string, string, ...string[]];
  const any = (part: string | undefined) => part === undefined || /^[xX*]$/.test(part);
  const given = any(major) ? 'none' : any(minor) ? 'major' : any(patch) ? 'minor' : 'patch';
  const version = build(
    given === 'none' ? '0' : major,
    given === 'none' || given === 'major' ? '0' : minor!,
    given === 'patch' ? patch! : '0',
    pre?.slice(1),
  );
  return version && { operator, version, given };
}

export function satisfies(version: Version, range: Range): boolean {
  return range.groups.some(
    ({ comparators, prereleases }) =>
      (prereleases || version.semver.prerelease.length === 0) &&
      comparators.every((comparator) => holds(version.semver, comparator)),
  );
}

function holds(version: semver.SemVer, comparator: Comparator): boolean {
  const { operator, version: wanted, given } = comparator;
  const order = version.compare(wanted);
  switch (operator) {
    case '':
    case '=':
      return given === 'patch' ? order === 0 : withinTilde(version, comparator);
    case '!=':
      return differs(version, comparator);
    case '>':
      if (given === 'patch' || given === 'none') return order > 0;
      if (version.major !== wanted.major) return version.major > wanted.major;
      return given === 'minor' && version.minor > wanted.minor;
    case '<':
      return order < 0;
    case '>=':
    case '=>':
      return order >= 0;
    case '<=':
    case '=<':
      if (given === 'patch') return order <= 0;
      if (version.major !== wanted.major) return version.major < wanted.major;
      return given === 'major' || version.minor <= wanted.minor;
    case '~':
    case '~>':
      return withinTilde(version, comparator);
    default:
      return withinCaret(version, comparator);
  }
}

function differs(version: semver.SemVer, { version: wanted, given }: Comparator): boolean {
  if (given === 'patch' || given === 'none') return version.compare(wanted) !== 0;
  if (version.major !== wanted.major) return true;
  return given === 'minor' && version.minor !== wanted.minor;
}

function withinTilde(version: semver.SemVer, { version: wanted, given }: Comparator): boolean {
  if (version.compare(wanted) < 0) return false;
  // 0.0.0, and anything at all, take whatever is not older.
  const zero = wanted.major === 0 && wanted.minor === 0 && wanted.patch === 0;
  if (given === 'none' || (zero && given === 'patch')) return true;
  return version.major === wanted.major && (given === 'major' || version.minor === wanted.minor);
}

function withinCaret(version: semver.SemVer, { version: wanted, given }: Comparator): boolean {
  if (version.compare(wanted) < 0) return false;
  if (given === 'none') return version.major === 0 && version.minor === 0 && version.patch === 0;
  if (version.major !== wanted.major) return false;
  if (wanted.major > 0 || given === 'major') return true;
  if (version.minor !== wanted.minor) return false;
  return wanted.minor > 0 || given === 'minor' || version.patch === wanted.patch;
}

/**
 * The version that a targetRevision means among those that there are: the one written exactly so, else the highest that
 * the range takes; of two that are equal the first. '' is the highest release.
 */
export function pickVersion(wanted: string, available: readonly string[]): string | undefined {
  if (wanted !== '' && available.includes(wanted)) return wanted;
  const range = parseRange(wanted);
  if (!range) return undefined;
  let best: Version | undefined;
  for (const text of available) {
    const version = parseVersion(text);
    if (!version || !satisfies(version, range)) continue;
    if (!best || version.semver.compare(best.semver) > 0) best = version;
  }
  return best?.text;
}
