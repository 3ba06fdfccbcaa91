import type { PluginList, PluginView, SetPlugin } from '@muster/api';
import type { PluginCalls } from '@muster/appset';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import { Sealer } from '../store/sealer.ts';
import { callPlugin } from './plugin-call.ts';
import { type PluginRow, PluginsRepository } from './plugins.repository.ts';
import { pluginTopic, Topics } from './topics.ts';

/** Services that the plugin generator calls: registered by administrators, called by name. */
@Injectable()
export class PluginsService {
  constructor(
    @Inject(PluginsRepository) private readonly repository: PluginsRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Topics) private readonly topics: Topics,
  ) {}

  async list(actor: Actor): Promise<PluginList> {
    this.access.require(actor, 'admin');
    return { items: (await this.repository.all()).map(viewOf) };
  }

  /** Registers a plugin or changes it; the sets that name it are expanded. */
  async set(name: string, { baseUrl, token, timeoutSeconds }: SetPlugin, actor: Actor): Promise<PluginView> {
    this.access.require(actor, 'admin');
    checkUrl(baseUrl);
    const row = await this.repository.db.transaction().execute(async (trx) => {
      const before = await this.repository.byName(name, trx);
      const written = await this.repository.write(trx, {
        name,
        base_url: baseUrl,
        token_sealed: this.sealer.seal(Buffer.from(token), contextOf(name)),
        timeout_seconds: timeoutSeconds,
      });
      await this.audit.record(trx, {
        actor,
        action: before ? 'plugin.change' : 'plugin.add',
        object: `plugin/${name}`,
        details: { baseUrl, timeoutSeconds },
      });
      await this.topics.announce(trx, [pluginTopic(name), pluginTopic('*')]);
      return written;
    });
    return viewOf(row);
  }

  /** The sets that name it keep their Applications, with a condition. */
  async remove(name: string, actor: Actor): Promise<void> {
    this.access.require(actor, 'admin');
    await this.repository.db.transaction().execute(async (trx) => {
      if (!(await this.repository.remove(trx, name)))
        throw new MusterError('not-found', `there is no plugin ${name}`);
      await this.audit.record(trx, { actor, action: 'plugin.remove', object: `plugin/${name}` });
      await this.topics.announce(trx, [pluginTopic(name), pluginTopic('*')]);
    });
  }

  /** What an expansion calls. */
  calls(signal: AbortSignal): PluginCalls {
    return {
      call: async (name, request) => {
        const row = await this.repository.byName(name);
        if (!row)
          throw new MusterError('precondition', `there is no plugin ${name}`, {
            hint: `muster plugin add ${name} --url BASE_URL --token-stdin; ConfigMaps and Secrets are not read by the hub`,
          });
        const token = this.sealer.open(row.token_sealed, contextOf(name)).toString('utf8');
        const access = { name, baseUrl: row.base_url, token, timeoutSeconds: row.timeout_seconds };
        return callPlugin(access, request, signal);
      },
    };
  }
}

function checkUrl(baseUrl: string): void {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  if (
    !url ||
    !['http:', 'https:'].includes(url.protocol) ||
    url.username ||
    url.password ||
    url.search ||
    url.hash
  )
    throw new MusterError(
      'invalid',
      'must be an http or https address without a user, a query or a fragment',
      {
        where: 'baseUrl',
      },
    );
}

function viewOf(row: PluginRow): PluginView {
  return {
    name: row.name,
    baseUrl: row.base_url,
    timeoutSeconds: row.timeout_seconds,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

function contextOf(name: string): string {
  return `plugins/token/${name}`;
}
