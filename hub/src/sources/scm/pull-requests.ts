import { MusterError } from '@muster/base';
import { z } from 'zod';
import { type HostSettings, found, part } from './scm-host.ts';
import type { ScmHttp } from './scm-http.ts';

/** A pull request (or merge request) as far as promotions look at it. */
export interface PullRequest {
  number: number;
  url: string;
  state: 'open' | 'merged' | 'closed';
  head: string;
  base: string;
  /** The commit that merged it, where the host says so. */
  merged?: string | undefined;
}

export interface PullText {
  title: string;
  body: string;
}

/** What is asked of a host about pull requests of one repository, from branches of its own. */
export interface PullRequests {
  /** The open one from a branch into another. */
  find(head: string, base: string): Promise<PullRequest | undefined>;
  get(number: number): Promise<PullRequest | undefined>;
  open(head: string, base: string, text: PullText): Promise<PullRequest>;
  change(number: number, text: PullText): Promise<void>;
}

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const anything = z.unknown();

const Pull = z
  .object({
    number: z.number(),
    html_url: text,
    state: z.string(),
    merged: z.boolean().nullish(),
    merged_at: z.string().nullish(),
    merge_commit_sha: z.string().nullish(),
    head: z.object({ ref: text }),
    base: z.object({ ref: text }),
  })
  .transform(
    ({
      number,
      html_url: url,
      state,
      merged,
      merged_at: at,
      merge_commit_sha: sha,
      head,
      base,
    }): PullRequest => {
      const isMerged = merged === true || Boolean(at);
      return {
        number,
        url,
        state: isMerged ? 'merged' : state === 'open' ? 'open' : 'closed',
        head: head.ref,
        base: base.ref,
        merged: isMerged ? (sha ?? undefined) : undefined,
      };
    },
  );

/** GitHub and Gitea. */
export function githubPulls(
  kind: 'github' | 'gitea',
  { owner, repo }: HostSettings,
  http: ScmHttp,
): PullRequests {
  const path = `repos/${part(owner)}/${part(repo)}/pulls`;
  const size = kind === 'github' ? 100 : 50;
  return {
    async find(head, base) {
      // Gitea knows no filter by branch.
      const query = kind === 'github' ? { head: `${owner}:${head}`, base, per_page: size } : { limit: size };
      const pages = await http.pages(
        path,
        z.array(Pull),
        { state: 'open', page: 1, ...query },
        (page, _headers, asked) =>
          page.length < size ? undefined : { ...asked, page: Number(asked.page ?? 1) + 1 },
      );
      return found(pages, `repository ${owner}/${repo}`)
        .flat()
        .find((one) => one.head === head && one.base === base);
    },
    get: (number) => http.find(`${path}/${number}`, Pull),
    open: (head, base, { title, body }) => http.send('POST', path, { head, base, title, body }, Pull),
    async change(number, { title, body }) {
      await http.send('PATCH', `${path}/${number}`, { title, body }, anything);
    },
  };
}

const MergeRequest = z
  .object({
    iid: z.number(),
    web_url: text,
    state: z.string(),
    source_branch: z.string(),
    target_branch: z.string(),
    merge_commit_sha: z.string().nullish(),
    squash_commit_sha: z.string().nullish(),
    sha: z.string().nullish(),
  })
  .transform(
    (one): PullRequest => ({
      number: one.iid,
      url: one.web_url,
      state: one.state === 'merged' ? 'merged' : one.state === 'closed' ? 'closed' : 'open',
      head: one.source_branch,
      base: one.target_branch,
      merged: one.merge_commit_sha ?? one.squash_commit_sha ?? one.sha ?? undefined,
    }),
  );

export function gitlabPulls({ project }: HostSettings, http: ScmHttp): PullRequests {
  const path = `projects/${part(project)}/merge_requests`;
  return {
    async find(head, base) {
      const query = { source_branch: head, target_branch: base, state: 'opened' };
      const pages = await http.pages(path, z.array(MergeRequest), query, () => undefined);
      return found(pages, `project ${project}`).flat()[0];
    },
    get: (number) => http.find(`${path}/${number}`, MergeRequest),
    open: (head, base, { title, body }) =>
      http.send(
        'POST',
        path,
        { source_branch: head, target_branch: base, title, description: body },
        MergeRequest,
      ),
    async change(number, { title, body }) {
      await http.send('PUT', `${path}/${number}`, { title, description: body }, anything);
    },
  };
}

const ServerPull = z.object({
  id: z.number(),
  version: z.number(),
  state: z.string(),
  fromRef: z.object({ displayId: z.string() }),
  toRef: z.object({ displayId: z.string() }),
  links: z.object({ self: z.array(z.object({ href: z.string() })).nullish() }).nullish(),
  properties: z.object({ mergeCommit: z.object({ id: z.string() }).nullish() }).nullish(),
});

export function bitbucketServerPulls({ project, repo }: HostSettings, http: ScmHttp): PullRequests {
  const path = `projects/${part(project)}/repos/${part(repo)}/pull-requests`;
  const view = (one: z.output<typeof ServerPull>): PullRequest => ({
    number: one.id,
    url: one.links?.self?.[0]?.href ?? '',
    state: one.state === 'MERGED' ? 'merged' : one.state === 'OPEN' ? 'open' : 'closed',
    head: one.fromRef.displayId,
    base: one.toRef.displayId,
    merged: one.properties?.mergeCommit?.id,
  });
  return {
    async find(head, base) {
      const query = { at: `refs/heads/${head}`, direction: 'OUTGOING', state: 'OPEN', limit: 100 };
      const page = await http.find(path, z.object({ values: z.array(ServerPull) }), query);
      return found(page, `repository ${project}/${repo}`)
        .values.map(view)
        .find((one) => one.head === head && one.base === base);
    },
    get: async (number) => {
      const one = await http.find(`${path}/${number}`, ServerPull);
      return one && view(one);
    },
    async open(head, base, { title, body }) {
      const refs = { fromRef: { id: `refs/heads/${head}` }, toRef: { id: `refs/heads/${base}` } };
      return view(await http.send('POST', path, { title, description: body, ...refs }, ServerPull));
    },
    async change(number, { title, body }) {
      const one = await http.find(`${path}/${number}`, ServerPull);
      if (!one) throw new MusterError('not-found', `there is no pull request ${number}`);
      await http.send(
        'PUT',
        `${path}/${number}`,
        { title, description: body, version: one.version },
        anything,
      );
    },
  };
}
