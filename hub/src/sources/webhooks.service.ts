import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';
import { repositoryLocation } from './repository-url.ts';
import { SourcesRepository } from './sources.repository.ts';
import { SourcesService } from './sources.service.ts';
import { type Headers, type WebhookSender, repositoriesOf, senderOf, verifyWebhook } from './webhook.ts';

/** Pushes that hosts tell of: the repositories they name are fetched at once. */
@Injectable()
export class WebhooksService {
  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Verifies before it parses; answers how many repositories match. `sender` unset: by the headers. */
  async receive(headers: Headers, body: Buffer, sender = senderOf(headers)): Promise<number> {
    if (!sender)
      throw new MusterError('invalid', 'not a webhook of GitHub, GitLab, Gitea, Forgejo or Bitbucket');
    verifyWebhook(sender, headers, body, this.#secrets());
    const locations = new Set(repositoriesOf(sender, body).flatMap(locationOf));
    const matching = (await this.repository.all()).filter((row) =>
      locationOf(row.url).some((one) => locations.has(one)),
    );
    if (matching.length > 0) {
      await this.repository.db.transaction().execute((trx) =>
        this.sources.ask(
          trx,
          matching.map((row) => row.id),
        ),
      );
    }
    return matching.length;
  }

  #secrets(): Partial<Record<WebhookSender, string>> {
    const { webhookSecretGithub, webhookSecretGitlab, webhookSecretGitea, webhookSecretBitbucket } =
      this.config;
    return {
      ...(webhookSecretGithub ? { github: webhookSecretGithub } : {}),
      ...(webhookSecretGitlab ? { gitlab: webhookSecretGitlab } : {}),
      ...(webhookSecretGitea ? { gitea: webhookSecretGitea } : {}),
      ...(webhookSecretBitbucket ? { bitbucket: webhookSecretBitbucket } : {}),
    };
  }
}

/** Host and path; ports differ between https and ssh, so they do not count. */
function locationOf(url: string): string[] {
  try {
    return [repositoryLocation(url).replace(/^([^/:]+):\d+\//, '$1/')];
  } catch {
    return [];
  }
}
