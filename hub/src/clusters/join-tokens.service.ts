import { MusterError } from '@muster/base';
import type { CreatedJoinToken, JoinTokenView, NewJoinToken } from '@muster/api';
import { Inject, Injectable } from '@nestjs/common';
import type { Actor } from '../access/actor.ts';
import { Listening } from '../api/readiness.ts';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import { Keys } from '../keys/keys.ts';
import type { Row } from '../store/schema.ts';
import { VERSION } from '../version.ts';
import { ClustersService } from './clusters.service.ts';
import { gatewayAddresses } from './gateway.ts';
import { installCommand } from './install-command.ts';
import { hashJoinToken, newJoinToken } from './join-token.ts';
import { JoinTokensRepository } from './join-tokens.repository.ts';

/** Join tokens: made once, stored hashed, bound to a cluster's name. */
@Injectable()
export class JoinTokensService {
  readonly #repository: JoinTokensRepository;
  readonly #clusters: ClustersService;
  readonly #keys: Keys;
  readonly #audit: Audit;
  readonly #config: Config;
  readonly #listening: Listening;

  constructor(
    @Inject(JoinTokensRepository) repository: JoinTokensRepository,
    @Inject(ClustersService) clusters: ClustersService,
    @Inject(Keys) keys: Keys,
    @Inject(Audit) audit: Audit,
    @Inject(CONFIG) config: Config,
    @Inject(Listening) listening: Listening,
  ) {
    this.#repository = repository;
    this.#clusters = clusters;
    this.#keys = keys;
    this.#audit = audit;
    this.#config = config;
    this.#listening = listening;
  }

  async list(): Promise<JoinTokenView[]> {
    return (await this.#repository.list()).map(view);
  }

  /** The answer is the only place the token is ever seen. @throws MusterError conflict for a server in use. */
  async create(wanted: NewJoinToken, actor: Actor): Promise<CreatedJoinToken> {
    const token = newJoinToken();
    if (wanted.name === 'hub')
      throw new MusterError('invalid', 'the name hub means the hub itself in destinations', {
        where: 'name',
      });
    if (wanted.server !== undefined) await this.#clusters.requireFreeServer(wanted.server, wanted.name);
    if (wanted.local) await this.#clusters.requireNoOtherLocal(wanted.name);
    const row = await this.#repository.transaction(async (trx) => {
      const inserted = await this.#repository.insert(trx, {
        token_hash: hashJoinToken(token),
        cluster_name: wanted.name,
        labels: JSON.stringify(wanted.labels),
        annotations: JSON.stringify(wanted.annotations),
        server: wanted.server ?? null,
        local: wanted.local,
        auto_approve: wanted.autoApprove,
        max_uses: wanted.maxUses,
        expires_at: new Date(Date.now() + wanted.expiresInSeconds * 1000),
        created_by: actor.name,
      });
      await this.#audit.record(trx, {
        actor,
        action: 'join-token.create',
        object: `cluster/${wanted.name}`,
        details: {
          id: inserted.id,
          autoApprove: wanted.autoApprove,
          maxUses: wanted.maxUses,
          expiresAt: inserted.expires_at,
        },
      });
      return inserted;
    });
    return { ...view(row), token, ...this.#hub(token) };
  }

  /** Tokens end at once; what joined with them stays. @throws MusterError not-found. */
  async revoke(id: string, actor: Actor): Promise<void> {
    await this.#repository.transaction(async (trx) => {
      const row = await this.#repository.revoke(trx, id);
      if (!row) throw new MusterError('not-found', `there is no join token ${id}`);
      await this.#audit.record(trx, {
        actor,
        action: 'join-token.revoke',
        object: `cluster/${row.cluster_name}`,
        details: { id },
      });
    });
  }

  #hub(token: string): Pick<CreatedJoinToken, 'hub' | 'install'> {
    const { gateway, enrol, external } = gatewayAddresses(this.#config, this.#listening);
    const caSha256 = this.#keys.caSha256;
    const install = installCommand({
      token,
      gateway,
      enrol,
      caSha256,
      ...(this.#config.publicUrl ? { publicUrl: this.#config.publicUrl } : {}),
      gatewayIsExternal: external,
      chartVersion: VERSION,
    });
    return { hub: { gateway, enrol, caSha256 }, install };
  }
}

function view(row: Row<'join_tokens'>): JoinTokenView {
  return {
    id: row.id,
    name: row.cluster_name,
    labels: row.labels,
    local: row.local,
    autoApprove: row.auto_approve,
    maxUses: row.max_uses,
    uses: row.uses,
    expiresAt: row.expires_at.toISOString(),
    ...(row.revoked_at ? { revokedAt: row.revoked_at.toISOString() } : {}),
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
  };
}
