import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Sealer } from '../../store/sealer.ts';
import type { Credentials } from '../credentials.ts';
import { credentialsContext } from '../repository-access.service.ts';
import { parseRepositoryUrl } from '../repository-url.ts';
import { SourcesRepository } from '../sources.repository.ts';
import { type PullRequests, bitbucketServerPulls, githubPulls, gitlabPulls } from './pull-requests.ts';
import { type ScmTarget, scmHeaders, scmTarget } from './scm-config.ts';
import { ScmHttp } from './scm-http.ts';

/** The host that keeps a repository; null: told by the address. */
export type RepositoryHostSetting = {
  kind: 'github' | 'gitlab' | 'gitea' | 'bitbucketServer';
  api: string | null;
} | null;

/** Pull requests of repositories, with credentials that were registered for writing. */
@Injectable()
export class PullRequestsService {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
  ) {}

  /** Throws `invalid` for an address whose host is not told, `precondition` without credentials. */
  async of(
    url: string,
    host: RepositoryHostSetting,
    project: string,
    signal: AbortSignal,
  ): Promise<PullRequests> {
    const target = targetOf(url, host);
    const credentials = await this.#credentials(target, url, project);
    const http = new ScmHttp(target.api, scmHeaders(target, credentials), signal);
    switch (target.kind) {
      case 'github':
      case 'gitea':
        return githubPulls(target.kind, target.settings, http);
      case 'gitlab':
        return gitlabPulls(target.settings, http);
      case 'bitbucketServer':
        return bitbucketServerPulls(target.settings, http);
    }
  }

  /** The nearest that are registered for writing: of the repository itself, of its owner, of the host. */
  async #credentials(target: ScmTarget, url: string, project: string): Promise<Credentials> {
    const urls = [...target.credentialUrls, url].flatMap((one) => {
      const { normalised } = parseRepositoryUrl(one);
      return [normalised, `credentials+${normalised}`];
    });
    const rows = (await this.repository.byUrls(this.repository.db, urls)).filter(
      (row) => row.may_push && row.credentials_sealed && (row.project === null || row.project === project),
    );
    const lengthOf = (one: string) => one.replace('credentials+', '').length;
    for (const row of rows.sort((a, b) => lengthOf(b.url) - lengthOf(a.url))) {
      const opened = this.sealer.open(row.credentials_sealed!, credentialsContext(row.id));
      const credentials = JSON.parse(opened.toString('utf8')) as Credentials;
      // An SSH key pushes, but opens no pull request.
      if (credentials.kind !== 'ssh') return credentials;
    }
    throw new MusterError('precondition', `no token is registered that may open pull requests for ${url}`, {
      hint: `muster repo add ${target.credentialUrls.at(-1)} --type credentials --write --token-stdin`,
    });
  }
}

/** Throws `invalid`. */
export function targetOf(url: string, host: RepositoryHostSetting): ScmTarget {
  const { host: name, normalised, protocol } = parseRepositoryUrl(url);
  const hostname = name.split(':')[0]!;
  const kind =
    host?.kind ?? (hostname === 'github.com' ? 'github' : hostname === 'gitlab.com' ? 'gitlab' : undefined);
  if (!kind)
    throw new MusterError('invalid', `what keeps ${url} is not known`, {
      where: 'spec.host',
      hint: 'host: { kind: gitea }, or github, gitlab, bitbucketServer',
    });
  const path = normalised.replace(/^[a-z]+:\/\/[^/]*\//, '').replace(/^scm\//, '');
  const parts = path.split('/');
  const repo = parts.pop() ?? '';
  const web = protocol === 'http' || protocol === 'https' ? `${protocol}://${name}` : `https://${hostname}`;
  const api = host?.api ?? (hostname === `${kind}.com` ? undefined : web);
  const owner = parts.join('/');
  const settings =
    kind === 'gitlab'
      ? { api, project: path }
      : kind === 'bitbucketServer'
        ? { api, project: owner, repo }
        : { api, owner, repo };
  return scmTarget({ [kind]: settings } as never);
}
