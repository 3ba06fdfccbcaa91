import { UsageError } from './exit.ts';

/** Where documents without a namespace live, as in Argo CD. */
export const DEFAULT_NAMESPACE = 'argocd';

/** `NAME` or `NAMESPACE/NAME`. */
export function parseName(text: string): { namespace: string; name: string } {
  const [first, second, ...more] = text.split('/');
  if (!first || second === '' || more.length > 0)
    throw new UsageError(`${text} is neither NAME nor NAMESPACE/NAME`);
  return second === undefined
    ? { namespace: DEFAULT_NAMESPACE, name: first }
    : { namespace: first, name: second };
}

/** `NAME` or `NAMESPACE/NAME`, each with `@CLUSTER` where one of several is meant. */
export function parseTarget(text: string): { namespace: string; name: string; cluster?: string } {
  const [app = '', cluster, ...more] = text.split('@');
  if (cluster === '' || more.length > 0) throw new UsageError(`${text} is neither APP nor APP@CLUSTER`);
  return { ...parseName(app), ...(cluster === undefined ? {} : { cluster }) };
}

/** `NAME` in the default namespace, else `NAMESPACE/NAME`: what every command takes back. */
export function formatName({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

/** `KEY=VALUE` of an option that may be repeated, collected. */
export function collectPair(text: string, before: Record<string, string> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new UsageError(`${text} is not KEY=VALUE`);
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) };
}

/** An option that may be repeated or hold several separated by commas. */
export function collectList(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',').filter(Boolean)];
}

/** Changes of labels as kubectl takes them: `KEY=VALUE` sets, `KEY-` removes. */
export function applyLabelChanges(labels: Record<string, string>, changes: string[]): Record<string, string> {
  const result = { ...labels };
  for (const change of changes) {
    if (change.includes('=')) Object.assign(result, collectPair(change));
    else if (change.length > 1 && change.endsWith('-')) delete result[change.slice(0, -1)];
    else throw new UsageError(`${change} is neither KEY=VALUE nor KEY-`);
  }
  return result;
}

/** What `KEY=VALUE` and `KEY-` set and remove. */
export function labelChanges(changes: string[]): { set: Record<string, string>; remove: string[] } {
  const isRemoval = (change: string) => !change.includes('=');
  const set = applyLabelChanges({}, changes);
  return { set, remove: changes.filter(isRemoval).map((change) => change.slice(0, -1)) };
}

/** A whole number of at least `least`. */
export function countFrom(least: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
    throw new UsageError(`${text} is not a whole number from ${least}`);
  };
}

/** One of these words. */
export function oneOf(...words: string[]): (text: string) => string {
  return (text) => {
    if (words.includes(text)) return text;
    throw new UsageError(`${text} is not known`, words.join(', '));
  };
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** `90`, `90s`, `5m`, `1h30m`, `7d` in seconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+)([smhd])/g)];
  if (/^\d+$/.test(text)) return Number(text);
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    throw new UsageError(`${text} is not a duration`, 'for example 90s, 5m, 1h30m, 7d');
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * UNITS[unit!]!, 0);
}
