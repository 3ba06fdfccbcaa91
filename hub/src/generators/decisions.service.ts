import type { ApplyDecisions, DecisionKey, DecisionList, DecisionView } from '@muster/api';
import type { DecisionResource, DecisionResources } from '@muster/appset';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Audit } from '../audit/audit.ts';
import type { Trx } from '../store/schema.ts';
import { Sealer } from '../store/sealer.ts';
import { checkDecisionDocument, type DecisionDocument } from './decision-document.ts';
import { type DecisionPlace, type DecisionRow, DecisionsRepository } from './decisions.repository.ts';
import { DECISIONS, Topics } from './topics.ts';

const MAX_DOCUMENTS = 5000;

/** Decisions on clusters that others made, as they were handed to the hub: who decides has no access to it otherwise. */
@Injectable()
export class DecisionsService {
  constructor(
    @Inject(DecisionsRepository) private readonly repository: DecisionsRepository,
    @Inject(Sealer) private readonly sealer: Sealer,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Topics) private readonly topics: Topics,
  ) {}

  async list(actor: Actor): Promise<DecisionList> {
    this.access.require(actor, 'viewer');
    return { items: (await this.repository.all()).map(viewOf) };
  }

  /** Writes what differs, all or nothing; sets with the generator are expanded where something did. */
  async apply({ documents }: ApplyDecisions, actor: Actor): Promise<DecisionList> {
    this.access.require(actor, 'operator');
    const checked = documents.map((one, i) => checkDecisionDocument(one, `documents[${i}]`));
    const items = await this.repository.db.transaction().execute(async (trx) => {
      const written: DecisionView[] = [];
      for (const one of checked) written.push(await this.#write(trx, one, actor));
      if ((await this.repository.count(trx)) > MAX_DOCUMENTS)
        throw new MusterError('limit', `there would be more than ${MAX_DOCUMENTS} documents`);
      if (written.some(({ result }) => result !== 'unchanged')) await this.topics.announce(trx, [DECISIONS]);
      return written;
    });
    return { items };
  }

  async #write(trx: Trx, one: DecisionDocument, actor: Actor): Promise<DecisionView> {
    const place = { api_version: one.apiVersion, resource: one.resource, name: one.name };
    const before = await this.repository.at(place, trx);
    if (before?.document_hash === one.hash) return { ...viewOf(before), result: 'unchanged' };
    const document_sealed = this.sealer.seal(Buffer.from(JSON.stringify(one.content)), contextOf(place));
    await this.repository.write(trx, { ...place, kind: one.kind, document_sealed, document_hash: one.hash });
    await this.audit.record(trx, {
      actor,
      action: before ? 'decision.change' : 'decision.add',
      object: `${one.resource}/${one.name}`,
      details: { apiVersion: one.apiVersion },
    });
    const { apiVersion, resource, name, kind } = one;
    const result = before ? 'configured' : 'created';
    return { apiVersion, resource, name, kind, updatedAt: new Date().toISOString(), result };
  }

  async remove({ apiVersion, resource, name }: DecisionKey, actor: Actor): Promise<void> {
    this.access.require(actor, 'operator');
    await this.repository.db.transaction().execute(async (trx) => {
      if (!(await this.repository.remove(trx, { api_version: apiVersion, resource, name })))
        throw new MusterError('not-found', `there is no ${resource}/${name} of ${apiVersion}`);
      await this.audit.record(trx, {
        actor,
        action: 'decision.remove',
        object: `${resource}/${name}`,
        details: { apiVersion },
      });
      await this.topics.announce(trx, [DECISIONS]);
    });
  }

  /** What an expansion reads. */
  resources(): DecisionResources {
    return {
      configMap: async (name) => {
        const row = await this.repository.at({ api_version: 'v1', resource: 'configmaps', name });
        return row && (this.#open(row) as { data: Record<string, string> }).data;
      },
      list: async (apiVersion, resource) =>
        (await this.repository.of(apiVersion, resource)).map((row) => this.#open(row) as DecisionResource),
    };
  }

  #open(row: DecisionRow): unknown {
    return JSON.parse(this.sealer.open(row.document_sealed, contextOf(row)).toString('utf8'));
  }
}

function viewOf(row: Omit<DecisionRow, 'document_sealed'>): DecisionView {
  return {
    apiVersion: row.api_version,
    resource: row.resource,
    name: row.name,
    kind: row.kind,
    updatedAt: row.updated_at.toISOString(),
  };
}

function contextOf({ api_version, resource, name }: DecisionPlace): string {
  return `decision_documents/document/${api_version}/${resource}/${name}`;
}
