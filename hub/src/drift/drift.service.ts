import type { AcceptDrift, AcceptedDrift, ForgetDrift } from '@muster/api';
import { MusterError } from '@muster/base';
import { type IgnoreRule, parseKeyString, ruleForField } from '@muster/kube';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { ApplicationViews } from '../applications/application-views.service.ts';
import { Audit } from '../audit/audit.ts';
import { Outbox } from '../queue/outbox.ts';
import { ownerKey, ownerOf } from '../releases/owner.ts';
import type { StoredDrift } from '../status/bounds.ts';
import type { Trx } from '../store/schema.ts';
import { type AcceptedRow, DriftRepository } from './drift.repository.ts';

interface Found {
  resource: string;
  field: string;
  rule: IgnoreRule;
}

/** Differences that people accept: from then on they are no drift, until they are forgotten. */
@Injectable()
export class DriftService {
  constructor(
    @Inject(DriftRepository) private readonly repository: DriftRepository,
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
  ) {}

  async list(actor: Actor, namespace: string, name: string): Promise<AcceptedDrift> {
    const row = await this.views.visible(actor, namespace, name);
    return { items: (await this.repository.of(this.repository.db, row.id)).map(view) };
  }

  /**
   * Accepts what differs now, as the cluster reported it last. Throws `precondition` where nothing (of what is asked
   * for) differs, or where it cannot be ignored: an object that is gone, a release that waits.
   */
  async accept(actor: Actor, namespace: string, name: string, request: AcceptDrift): Promise<AcceptedDrift> {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, 'operator', row.project);
    const { resources } = await this.views.resources(actor, namespace, name);
    const found = resources.flatMap((each) => differencesOf(each, request));
    if (found.length === 0) {
      throw new MusterError('precondition', `nothing of ${name} differs${request.resource ? ' there' : ''}`, {
        hint: '`muster app get` shows the drift, as the cluster reported it last',
      });
    }
    await this.repository.db.transaction().execute(async (trx) => {
      const by = { actor: actor.name, reason: request.reason ?? null };
      await this.repository.accept(trx, row.id, found, by);
      await this.#changed(trx, actor, row, 'application.accept-drift', found, request.reason);
    });
    return this.list(actor, namespace, name);
  }

  /** What was accepted is drift again. Throws `not-found` where nothing of it was. */
  async forget(actor: Actor, namespace: string, name: string, which: ForgetDrift): Promise<void> {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, 'operator', row.project);
    await this.repository.db.transaction().execute(async (trx) => {
      const forgotten = await this.repository.forget(trx, row.id, which.resource, which.field);
      if (forgotten === 0) throw new MusterError('not-found', `no such drift of ${name} was accepted`);
      await this.#changed(trx, actor, row, 'application.forget-drift', [which]);
    });
  }

  async #changed(
    trx: Trx,
    actor: Actor,
    row: { id: string; set_id: string | null; namespace: string; name: string; project: string },
    action: string,
    what: readonly { resource?: string | undefined; field?: string | undefined }[],
    reason?: string,
  ): Promise<void> {
    await this.outbox.add(trx, 'render', [ownerKey(ownerOf(row))]);
    await this.audit.record(trx, {
      actor,
      action,
      object: `application/${row.namespace}/${row.name}`,
      project: row.project,
      ...(reason ? { reason } : {}),
      details: { drift: what.map(({ resource, field }) => ({ resource, field })) },
    });
  }
}

/** What of one reported resource is asked for, as rules. */
function differencesOf(resource: Record<string, unknown>, { resource: key, field }: AcceptDrift): Found[] {
  const found = resource as { key: string; drift?: StoredDrift };
  const { drift } = found;
  if (!drift || (key !== undefined && key !== found.key)) return [];
  const object = parseKeyString(found.key);
  // What was put back is meant too: it comes again.
  if (!object) return [];
  if (key !== undefined && drift.deleted)
    throw new MusterError('precondition', `${key} is gone: that cannot be accepted`, {
      hint: 'take it out of Git, or have it made again by a sync',
    });
  if (drift.deleted || drift.class === 'pending') return [];
  return drift.fields
    .filter(({ path }) => field === undefined || path === field)
    .map(({ path }) => ({ resource: found.key, field: path, rule: ruleForField(object, path) }));
}

function view(row: AcceptedRow): AcceptedDrift['items'][number] {
  return {
    resource: row.resource,
    field: row.field,
    rule: row.rule as unknown as Record<string, unknown>,
    acceptedBy: row.accepted_by,
    acceptedAt: row.accepted_at.toISOString(),
    ...(row.reason ? { reason: row.reason } : {}),
  };
}
