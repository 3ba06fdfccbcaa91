/**
 * Names for what generators ask of a host, made alike from a set and from a webhook. Hosts are without ports (they
 * differ between what people, Git and the API use), everything in lower case (hosts take names in either).
 */
export type ScmSender = 'github' | 'gitlab' | 'gitea' | 'bitbucket';

/** Where a templated field of a matrix may lead: to every repository of the host's kind. */
const ANYWHERE = '*';

/** Pull or merge requests of one repository, `owner/name` or, of GitLab, its path or number. */
export function pullRequestTopics(sender: ScmSender, host: string, paths: readonly string[]): string[] {
  return [
    ...paths.map((path) => topic('pullRequest', sender, host, path)),
    topic('pullRequest', sender, host),
  ];
}

/** The repositories and branches of an owner. */
export function ownerTopics(sender: ScmSender, host: string, owner: string): string[] {
  return [topic('scmProvider', sender, host, owner), topic('scmProvider', sender, host)];
}

function topic(kind: string, sender: ScmSender, host: string, path?: string): string {
  // Bitbucket Server does not say its own address.
  const at = sender === 'bitbucket' ? path : `${host}/${path}`;
  return `${kind} ${sender} ${path === undefined ? ANYWHERE : at}`.toLowerCase();
}

type Settings = Record<string, unknown>;

/** The topic of a `pullRequest` or `scmProvider` generator; undefined for a host that does not tell of changes. */
export function generatorTopic(kind: 'pullRequest' | 'scmProvider', generator: Settings): string | undefined {
  const settings = (name: string) => {
    const value = generator[name];
    return value !== null && typeof value === 'object' ? (value as Settings) : undefined;
  };
  const text = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  const make = (sender: ScmSender, given: Settings, home: string, ...path: unknown[]) => {
    const api = text(given['api']);
    const parts = path.map(text);
    const free = [api, ...parts].some((one) => one.includes('{{'));
    const host = hostOf(api || home);
    return free || host === undefined ? topic(kind, sender, '') : topic(kind, sender, host, parts.join('/'));
  };
  const isPull = kind === 'pullRequest';
  const github = settings('github');
  if (github) {
    const path = isPull ? [github['owner'], github['repo']] : [github['organization']];
    return make('github', github, 'https://github.com', ...path);
  }
  const gitlab = settings('gitlab');
  if (gitlab) return isPull ? make('gitlab', gitlab, 'https://gitlab.com', gitlab['project']) : undefined;
  const gitea = settings('gitea');
  if (gitea) return make('gitea', gitea, '', gitea['owner'], ...(isPull ? [gitea['repo']] : []));
  const bitbucket = settings('bitbucketServer');
  if (bitbucket && isPull) return make('bitbucket', bitbucket, '', bitbucket['project'], bitbucket['repo']);
  return undefined;
}

/** The name of a host, as people know it: GitHub's API has one of its own. */
export function hostOf(url: string): string | undefined {
  try {
    return new URL(url).hostname.replace(/^api\./, '');
  } catch {
    return undefined;
  }
}
