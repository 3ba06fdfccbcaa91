import {
  type ExternalParameters,
  type GoTemplateEngine,
  GoTexts,
  pullRequestParameters,
  repositoryParameters,
} from '@muster/appset';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { Sealer } from '../../store/sealer.ts';
import type { Credentials } from '../credentials.ts';
import { parseRepositoryUrl } from '../repository-url.ts';
import { SourcesRepository } from '../sources.repository.ts';
import { credentialsContext } from '../repository-access.service.ts';
import { scmHeaders, scmHost, type ScmTarget, scmTarget } from './scm-config.ts';
import { ScmHttp } from './scm-http.ts';

/** Asks hosts of repositories for what the scmProvider and pullRequest generators want to know. */
@Injectable()
export class ScmService {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
  ) {}

  /** For a set of one project; '' is a set that may choose its projects, which gets credentials of no project. */
  external(project: string, engine: GoTemplateEngine, signal: AbortSignal): ExternalParameters {
    return {
      parameters: async (kind, generator, { goTemplate }) => {
        const target = scmTarget(generator);
        const credentials = target.needsCredentials ? await this.#credentials(target, project) : undefined;
        const http = new ScmHttp(target.api, scmHeaders(target, credentials), signal);
        const host = scmHost(target, http, generator['cloneProtocol']);
        const shape = { goTemplate, texts: new GoTexts(engine), signal };
        if (kind === 'scmProvider') return repositoryParameters(host, generator, shape);
        const pulls = await host.pullRequests();
        if (!pulls && generator['continueOnRepoNotFoundError'] !== true) {
          const { owner, project: group, repo } = target.settings;
          const name = [owner || group, repo].filter(Boolean).join('/');
          throw new MusterError('not-found', `there is no repository ${name}, or it may not be read`);
        }
        return pullRequestParameters(pulls ?? [], generator, shape);
      },
    };
  }

  /** The registered credentials nearest to what is read: of the repository, its owner, or the host. */
  async #credentials({ credentialUrls }: ScmTarget, project: string): Promise<Credentials> {
    // Credentials of the repository itself serve its API too.
    const urls = credentialUrls.flatMap((url) => {
      const { normalised } = parseRepositoryUrl(url);
      return [normalised, `credentials+${normalised}`];
    });
    const rows = (await this.repository.byUrls(this.repository.db, urls)).filter(
      (row) => row.credentials_sealed && (row.project === null || row.project === project),
    );
    const lengthOf = (url: string) => url.replace('credentials+', '').length;
    const nearest = rows.sort((a, b) => lengthOf(b.url) - lengthOf(a.url))[0];
    if (!nearest?.credentials_sealed) {
      throw new MusterError('precondition', `no credentials are registered for ${credentialUrls.at(-1)}`, {
        hint: `muster repo add ${credentialUrls[1] ?? credentialUrls[0]} --type credentials --token-stdin; Secrets are not read by the hub`,
      });
    }
    const opened = this.sealer.open(nearest.credentials_sealed, credentialsContext(nearest.id));
    return JSON.parse(opened.toString('utf8')) as Credentials;
  }
}
