import type { PullRequestFacts, RepositoryHost } from '@muster/appset';
import { MusterError } from '@muster/base';
import { z } from 'zod';
import type { Query } from './scm-http.ts';

/** What the generators ask of a host. */
export interface ScmHost extends RepositoryHost {
  /** Open ones that carry all labels asked for; undefined where there is no such repository. */
  pullRequests(): Promise<PullRequestFacts[] | undefined>;
}

const text = z.string().max(2000);
export const optionalText = text.nullish().transform((value) => value ?? '');
const flag = z.boolean().nullish();

/** The settings of a host in a generator, of all kinds together; what a kind does not know is ignored. */
export const HostSettings = z.looseObject({
  api: text.nullish(),
  owner: optionalText,
  repo: optionalText,
  organization: optionalText,
  project: z
    .union([z.string(), z.number()])
    .nullish()
    .transform((value) => String(value ?? '')),
  group: optionalText,
  labels: z
    .array(text)
    .max(100)
    .nullish()
    .transform((value) => value ?? []),
  pullRequestState: optionalText,
  allBranches: flag,
  excludeArchivedRepos: flag,
  includeArchivedRepos: flag,
  includeSubgroups: flag,
  includeSharedProjects: flag,
  topic: optionalText,
  insecure: flag,
  basicAuth: z.looseObject({ username: optionalText }).nullish(),
});
export type HostSettings = z.output<typeof HostSettings>;

/** The URL by `cloneProtocol`; ssh where none is given, as in the reference. */
export function cloneUrl(
  protocol: unknown,
  urls: { ssh: string | undefined; https: string | undefined },
): string {
  const chosen = protocol === undefined || protocol === null || protocol === '' ? 'ssh' : protocol;
  const url = chosen === 'ssh' ? urls.ssh : chosen === 'https' ? urls.https : undefined;
  if (chosen !== 'ssh' && chosen !== 'https')
    throw new MusterError('invalid', `unknown clone protocol ${String(chosen)}`, { where: 'cloneProtocol' });
  if (!url)
    throw new MusterError('invalid', `the host gives no URL for ${chosen}`, { where: 'cloneProtocol' });
  return url;
}

export function hasAllLabels(found: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((label) => found.includes(label));
}

/** A part of a path. */
export const part = encodeURIComponent;
/** A path of several parts. */
export const parts = (path: string): string => path.split('/').map(part).join('/');

/** Page after page by number, until one is not full. */
export function byNumber(size: number) {
  return (page: readonly unknown[], _headers: Headers, query: Query): Query | undefined =>
    page.length < size ? undefined : { ...query, page: Number(query.page ?? 1) + 1 };
}

/** What a host must know of; @throws MusterError `not-found`. */
export function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new MusterError('not-found', `there is no ${what}, or it may not be read`);
  return value;
}
