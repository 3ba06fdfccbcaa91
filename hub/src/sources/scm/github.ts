import type { ListedRepository } from '@muster/appset';
import { MusterError } from '@muster/base';
import { z } from 'zod';
import {
  byNumber,
  cloneUrl,
  found,
  hasAllLabels,
  type HostSettings,
  optionalText,
  part,
  parts,
  type ScmHost,
} from './scm-host.ts';
import type { ScmHttp } from './scm-http.ts';

const labels = z
  .array(z.object({ name: optionalText }))
  .nullish()
  .transform((list) => (list ?? []).map(({ name }) => name));
const Pull = z.object({
  number: z.number(),
  title: optionalText,
  head: z.object({ ref: z.string(), sha: z.string() }),
  base: z.object({ ref: z.string() }),
  user: z.object({ login: optionalText }).nullish(),
  labels,
});
const Repository = z.object({
  id: z.number(),
  name: z.string(),
  owner: z.object({ login: z.string() }),
  default_branch: optionalText,
  ssh_url: z.string().optional(),
  clone_url: z.string().optional(),
  html_url: z.string().optional(),
  archived: z.boolean().nullish(),
  topics: z.array(z.string()).nullish(),
});
const sha = { github: 'sha', gitea: 'id' } as const;
const Branch = z.object({
  name: z.string(),
  commit: z.object({ sha: z.string().optional(), id: z.string().optional() }),
});

/** Where GitHub's API is: of an own server below `/api/v3`. */
export function githubApi(api: string | null | undefined): string {
  if (!api) return 'https://api.github.com';
  const url = new URL(api);
  const plain = url.href.replace(/\/+$/, '');
  const isApi =
    plain.endsWith('/api/v3') || url.hostname.startsWith('api.') || url.hostname.includes('.api.');
  return isApi ? plain : `${plain}/api/v3`;
}

/** GitHub and Gitea, whose API is made after it: they differ in page sizes and in where labels and commits stand. */
export function githubLike(
  kind: 'github' | 'gitea',
  settings: HostSettings,
  http: ScmHttp,
  cloneProtocol: unknown,
): ScmHost {
  const size = kind === 'github' ? 100 : 50;
  const paging = kind === 'github' ? { per_page: size } : { limit: size };
  const repository = (owner: string, name: string) => `repos/${part(owner)}/${part(name)}`;
  const list = <T>(path: string, schema: z.ZodType<T>, query = {}) =>
    http
      .pages(path, z.array(schema), { ...paging, page: 1, ...query }, byNumber(size))
      .then((pages) => pages?.flat());
  const labelsOf = async (owner: string, name: string, topics: readonly string[]) =>
    kind === 'github'
      ? [...topics]
      : ((await list(`${repository(owner, name)}/labels`, z.object({ name: z.string() }))) ?? []).map(
          (one) => one.name,
        );
  return {
    async pullRequests() {
      const pulls = await list(`${repository(settings.owner, settings.repo)}/pulls`, Pull, { state: 'open' });
      return pulls
        ?.filter((pull) => hasAllLabels(pull.labels, settings.labels))
        .map((pull) => ({
          number: pull.number,
          title: pull.title,
          branch: pull.head.ref,
          targetBranch: pull.base.ref,
          headSha: pull.head.sha,
          author: pull.user?.login ?? '',
          labels: pull.labels,
        }));
    },
    async repositories() {
      const owner = kind === 'github' ? settings.organization : settings.owner;
      const all = found(await list(`orgs/${part(owner)}/repos`, Repository), `organisation ${owner}`);
      const listed: ListedRepository[] = [];
      for (const one of all) {
        if (settings.excludeArchivedRepos && one.archived) continue;
        // Of Gitea the reference takes the address of the page, which Gitea serves to Git as well.
        const https = kind === 'github' ? one.clone_url : one.html_url;
        listed.push({
          organization: one.owner.login,
          repository: one.name,
          repositoryId: one.id,
          url: cloneUrl(cloneProtocol, { ssh: one.ssh_url, https }),
          branch: one.default_branch,
          labels: await labelsOf(one.owner.login, one.name, one.topics ?? []),
        });
      }
      return listed;
    },
    async branches(one) {
      if (one.branch === '' && !settings.allBranches && kind === 'github') return [];
      const at = `${repository(one.organization, one.repository)}/branches`;
      const branches = settings.allBranches
        ? await list(at, Branch)
        : await http.find(`${at}/${parts(one.branch)}`, Branch).then((branch) => branch && [branch]);
      // As in the reference: GitHub's empty repositories are left out, Gitea's are an error.
      if (!branches && kind === 'gitea' && !settings.allBranches)
        throw new MusterError(
          'not-found',
          `${one.organization}/${one.repository} has no default branch ${one.branch}`,
          {
            hint: 'leave it out with a filter, or commit to it',
          },
        );
      return (branches ?? []).map(({ name, commit }) => ({
        ...one,
        branch: name,
        sha: found(commit[sha[kind]], `commit of ${name}`),
      }));
    },
    hasPath: (one, path) =>
      http.exists(`${repository(one.organization, one.repository)}/contents/${parts(path)}`, {
        ref: one.branch,
      }),
  };
}
