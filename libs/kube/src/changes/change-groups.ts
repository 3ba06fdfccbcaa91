import { sha256 } from '@muster/base';
import type { ObjectChange } from './object-changes.ts';

/** Applications that change alike. */
export interface ChangeGroup<Member> {
  /** As for the first member; empty where there was no room to keep them. */
  changes: ObjectChange[];
  /** Whether the members' changes are the same to the letter, or the same but for their names. */
  alike: 'exactly' | 'but for names';
  members: Member[];
  /** Lines that are added and removed, for each member. */
  added: number;
  removed: number;
  /** The changes were too many to be kept. */
  omitted: boolean;
}

interface Exact<Member> extends ChangeGroup<Member> {
  /** The changes with names left open; undefined once two members with the same changes have other patterns. */
  pattern: string | undefined;
}

/**
 * Groups Applications by identical change: first by their text, then those that differ in nothing but each one's own
 * names (its cluster, itself). Nobody is lost: each member is in exactly one group.
 */
export class ChangeGroups<Member> {
  readonly #exact = new Map<string, Exact<Member>>();
  readonly #maxBytes: number;
  #bytes = 0;

  /** Keeps at most `maxBytes` of text; groups beyond it are counted and their changes left out. */
  constructor(maxBytes = Number.POSITIVE_INFINITY) {
    this.#maxBytes = maxBytes;
  }

  /** `names`: what may stand in its change for no other reason than who it is, the most telling first. */
  add(member: Member, changes: readonly ObjectChange[], names: readonly string[]): void {
    const text = textOf(changes);
    const key = sha256(text);
    const pattern = sha256(patternOf(text, names));
    const known = this.#exact.get(key);
    if (known) {
      known.members.push(member);
      if (known.pattern !== pattern) known.pattern = undefined;
      return;
    }
    const omitted = this.#bytes + text.length > this.#maxBytes;
    if (!omitted) this.#bytes += text.length;
    this.#exact.set(key, {
      changes: omitted ? [] : [...changes],
      alike: 'exactly',
      members: [member],
      added: sum(changes, 'added'),
      removed: sum(changes, 'removed'),
      omitted,
      pattern,
    });
  }

  /** The groups, the one with the most members first. */
  groups(): ChangeGroup<Member>[] {
    const alone: ChangeGroup<Member>[] = [];
    const patterns = new Map<string, ChangeGroup<Member>>();
    for (const { pattern, ...group } of this.#exact.values()) {
      const other = pattern === undefined ? undefined : patterns.get(pattern);
      if (!other) {
        alone.push(group);
        if (pattern !== undefined) patterns.set(pattern, group);
        continue;
      }
      other.alike = 'but for names';
      other.members.push(...group.members);
      if (other.omitted && !group.omitted) {
        other.changes = group.changes;
        other.omitted = false;
        other.members = [...group.members, ...other.members.slice(0, -group.members.length)];
      }
    }
    return alone.sort((a, b) => b.members.length - a.members.length);
  }
}

/** Everything of the changes that is shown. */
function textOf(changes: readonly ObjectChange[]): string {
  return changes
    .map((one) => [one.action, one.apiVersion, one.kind, one.namespace, one.name, one.text].join('\n'))
    .join('\n\0\n');
}

/** The text with each name, wherever it stands as a word of its own, replaced by its place among the names. */
export function patternOf(text: string, names: readonly string[]): string {
  const places = new Map<string, number>();
  for (const [place, name] of names.entries()) if (name !== '' && !places.has(name)) places.set(name, place);
  if (places.size === 0) return text;
  const longestFirst = [...places.keys()].sort((a, b) => b.length - a.length).map(escaped);
  const words = new RegExp(`(?<![A-Za-z0-9])(?:${longestFirst.join('|')})(?![A-Za-z0-9])`, 'g');
  return text.replace(words, (name) => `\u0001${places.get(name)!}\u0001`);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}

function sum(changes: readonly ObjectChange[], what: 'added' | 'removed'): number {
  return changes.reduce((total, one) => total + one[what], 0);
}
