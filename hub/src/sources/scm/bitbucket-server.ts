import { z } from 'zod';
import { cloneUrl, found, type HostSettings, optionalText, part, parts, type ScmHost } from './scm-host.ts';
import type { Query, ScmHttp } from './scm-http.ts';

const Pull = z.object({
  id: z.number(),
  title: optionalText,
  fromRef: z.object({ displayId: z.string(), latestCommit: z.string() }),
  toRef: z.object({ displayId: z.string() }),
  author: z.object({ user: z.object({ name: optionalText }) }).nullish(),
});
const Repository = z.object({
  id: z.number(),
  slug: z.string(),
  name: z.string(),
  project: z.object({ key: z.string() }),
  links: z.object({ clone: z.array(z.object({ name: z.string(), href: z.string() })) }),
});
const Branch = z.object({ displayId: z.string(), latestCommit: z.string() });
const pageOf = <T>(schema: z.ZodType<T>) =>
  z.object({
    values: z.array(schema),
    isLastPage: z.boolean().nullish(),
    nextPageStart: z.number().nullish(),
  });

/** Where Bitbucket Server's API is. */
export function bitbucketServerApi(api: string): string {
  const plain = api.replace(/\/+$/, '');
  return `${plain.endsWith('/rest') ? plain : `${plain}/rest`}/api/1.0`;
}

export function bitbucketServer(settings: HostSettings, http: ScmHttp, cloneProtocol: unknown): ScmHost {
  const list = async <T>(path: string, schema: z.ZodType<T>): Promise<T[] | undefined> => {
    const pages = await http.pages(path, pageOf(schema), { limit: 100 }, (page, _headers, query: Query) =>
      page.isLastPage === false && page.nextPageStart ? { ...query, start: page.nextPageStart } : undefined,
    );
    return pages?.flatMap((page) => page.values);
  };
  /** The API wants slugs, the generator gives names. */
  const slugs = new Map<string, string>();
  const repository = (project: string, name: string) =>
    `projects/${part(project)}/repos/${part(slugs.get(name) ?? name)}`;
  return {
    async pullRequests() {
      const pulls = await list(`${repository(settings.project, settings.repo)}/pull-requests`, Pull);
      return pulls?.map((pull) => ({
        number: pull.id,
        title: pull.title,
        branch: pull.fromRef.displayId,
        targetBranch: pull.toRef.displayId,
        headSha: pull.fromRef.latestCommit,
        author: pull.author?.user.name ?? '',
        labels: [],
      }));
    },
    async repositories() {
      const all = await list(`projects/${part(settings.project)}/repos`, Repository);
      return found(all, `project ${settings.project}`).map((one) => {
        slugs.set(one.name, one.slug);
        const link = (name: string) => one.links.clone.find((each) => each.name === name)?.href;
        return {
          organization: one.project.key,
          repository: one.name,
          repositoryId: one.id,
          url: cloneUrl(cloneProtocol, { ssh: link('ssh'), https: link('http') }),
          branch: '',
          labels: [],
        };
      });
    },
    async branches(one) {
      const at = `${repository(one.organization, one.repository)}/branches`;
      const branches = settings.allBranches
        ? await list(at, Branch)
        : await http.find(`${at}/default`, Branch).then((branch) => branch && [branch]);
      return (branches ?? []).map(({ displayId, latestCommit }) => ({
        ...one,
        branch: displayId,
        sha: latestCommit,
      }));
    },
    hasPath: (one, path) =>
      http.exists(`${repository(one.organization, one.repository)}/browse/${parts(path)}`, {
        at: one.branch,
        type: true,
      }),
  };
}
