import { z } from 'zod';
import { cloneUrl, found, type HostSettings, optionalText, part, type ScmHost } from './scm-host.ts';
import type { Query, ScmHttp } from './scm-http.ts';

const SIZE = 100;
const MergeRequest = z.object({
  iid: z.number(),
  title: optionalText,
  source_branch: z.string(),
  target_branch: z.string(),
  sha: optionalText,
  author: z.object({ username: optionalText }).nullish(),
  labels: z.array(z.string()).nullish(),
});
const Project = z.object({
  id: z.number(),
  path: z.string(),
  namespace: z.object({ full_path: z.string() }),
  default_branch: optionalText,
  ssh_url_to_repo: z.string().optional(),
  http_url_to_repo: z.string().optional(),
  topics: z.array(z.string()).nullish(),
  /** What topics were called before GitLab 14.5. */
  tag_list: z.array(z.string()).nullish(),
});
const Branch = z.object({ name: z.string(), commit: z.object({ id: z.string() }) });
const Entry = z.object({ path: z.string() });

/** Where GitLab's API is. */
export function gitlabApi(api: string | null | undefined): string {
  const plain = (api || 'https://gitlab.com').replace(/\/+$/, '');
  return plain.endsWith('/api/v4') ? plain : `${plain}/api/v4`;
}

export function gitlab(settings: HostSettings, http: ScmHttp, cloneProtocol: unknown): ScmHost {
  const next = (_page: unknown, headers: Headers, query: Query) => {
    const page = headers.get('x-next-page');
    return page ? { ...query, page } : undefined;
  };
  const list = <T>(path: string, schema: z.ZodType<T>, query: Query = {}) =>
    http.pages(path, z.array(schema), { per_page: SIZE, ...query }, next).then((pages) => pages?.flat());
  const code = (id: number) => `projects/${id}/repository`;
  return {
    async pullRequests() {
      const requests = await list(`projects/${part(settings.project)}/merge_requests`, MergeRequest, {
        // As in the reference: without a state, closed and merged ones too.
        state: settings.pullRequestState || undefined,
        labels: settings.labels.join(',') || undefined,
      });
      return requests?.map((one) => ({
        number: one.iid,
        title: one.title,
        branch: one.source_branch,
        targetBranch: one.target_branch,
        headSha: one.sha,
        author: one.author?.username ?? '',
        labels: one.labels ?? [],
      }));
    },
    async repositories() {
      const projects = await list(`groups/${part(settings.group)}/projects`, Project, {
        include_subgroups: settings.includeSubgroups ?? false,
        with_shared: settings.includeSharedProjects ?? true,
        topic: settings.topic || undefined,
        archived: settings.includeArchivedRepos || undefined,
      });
      return found(projects, `group ${settings.group}`).map((one) => ({
        organization: one.namespace.full_path,
        repository: one.path,
        repositoryId: one.id,
        url: cloneUrl(cloneProtocol, { ssh: one.ssh_url_to_repo, https: one.http_url_to_repo }),
        branch: one.default_branch,
        labels: one.topics?.length ? one.topics : (one.tag_list ?? []),
      }));
    },
    async branches(one) {
      // A project without any commit has no default branch.
      if (one.branch === '' && !settings.allBranches) return [];
      const at = `${code(one.repositoryId)}/branches`;
      const branches = settings.allBranches
        ? await list(at, Branch)
        : await http.find(`${at}/${part(one.branch)}`, Branch).then((branch) => branch && [branch]);
      return (branches ?? []).map(({ name, commit }) => ({ ...one, branch: name, sha: commit.id }));
    },
    async hasPath(one, path) {
      // Files and directories alike are found in the list of what holds them.
      const folder = path.slice(0, Math.max(0, path.lastIndexOf('/')));
      const entries = await list(`${code(one.repositoryId)}/tree`, Entry, { path: folder, ref: one.branch });
      return (entries ?? []).some((entry) => entry.path === path);
    },
  };
}
