import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../config.ts';
import { Topics } from '../generators/topics.ts';
import { LOGGER, type Logger } from '../telemetry/logger.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { repositoryLocation } from './repository-url.ts';
import { type RepositoryRow, SourcesRepository } from './sources.repository.ts';
import { SourcesService } from './sources.service.ts';
import { type WebhookEvent, readWebhook } from './webhook-event.ts';
import { type Headers, type WebhookSender, senderOf, verifyWebhook } from './webhook.ts';

/** What a webhook set off: repositories that are fetched, ApplicationSets that are expanded. */
export interface WebhookEffect {
  repositories: number;
  applicationSets: number;
}

/**
 * What hosts tell of: repositories that were pushed to are fetched, sets that ask of a pull request, a repository or a
 * plugin are expanded. Only ever hurries what would happen anyway: the same webhook again changes nothing.
 */
@Injectable()
export class WebhooksService {
  readonly #count;

  constructor(
    @Inject(SourcesRepository) private readonly repository: SourcesRepository,
    @Inject(SourcesService) private readonly sources: SourcesService,
    @Inject(Topics) private readonly topics: Topics,
    @Inject(CONFIG) private readonly config: Config,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Metrics) metrics: Metrics,
  ) {
    this.#count = metrics.meter.createCounter('muster_webhooks', {
      description: 'Webhooks by sender and by what became of them',
    });
    for (const sender of ['github', 'gitlab', 'gitea', 'bitbucket'])
      for (const outcome of ['accepted', 'refused', 'invalid']) this.#count.add(0, { sender, outcome });
  }

  /** Verifies before it parses. `sender` unset: by the headers. */
  async receive(headers: Headers, body: Buffer, sender = senderOf(headers)): Promise<WebhookEffect> {
    if (!sender)
      throw new MusterError('invalid', 'not a webhook of GitHub, GitLab, Gitea, Forgejo or Bitbucket');
    let event: WebhookEvent;
    try {
      verifyWebhook(sender, headers, body, this.#secrets());
      event = readWebhook(sender, headers, body);
    } catch (thrown) {
      const { code, message } = MusterError.from(thrown);
      this.#count.add(1, { sender, outcome: code === 'forbidden' ? 'refused' : 'invalid' });
      this.logger.warn({ sender, reason: message }, 'a webhook was refused');
      throw thrown;
    }
    this.#count.add(1, { sender, outcome: 'accepted' });
    const matching = await this.#matching(event);
    const applicationSets = await this.repository.db.transaction().execute(async (trx) => {
      await this.sources.ask(
        trx,
        matching.map((row) => row.id),
      );
      return this.topics.announce(trx, event.topics);
    });
    return { repositories: matching.length, applicationSets };
  }

  async #matching({ repositories, ending }: WebhookEvent): Promise<RepositoryRow[]> {
    const locations = new Set(repositories.flatMap(locationOf));
    if (locations.size === 0 && ending === undefined) return [];
    const matches = (at: string) =>
      locations.has(at) ||
      (ending !== undefined && locations.size === 0 && at.toLowerCase().endsWith(ending));
    return (await this.repository.all()).filter((row) => locationOf(row.url).some(matches));
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
