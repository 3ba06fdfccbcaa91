import type { PinRequest, PinView, Pinned, UnpinRequest, Unpinned } from '@muster/api';
import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { type Actor, systemActor } from '../../access/actor.ts';
import { AccessService } from '../../access/access.service.ts';
import { ApplicationViews } from '../../applications/application-views.service.ts';
import { AssignmentsService } from '../../assignments/assignments.service.ts';
import { type Owner, ownerOf } from '../../releases/owner.ts';
import type { Trx } from '../../store/schema.ts';
import type { TargetIds } from '../../releases/targets.ts';
import { PinKeeping } from './pin-keeping.service.ts';
import { missingApproval } from './missing-approval.ts';
import { type PinRow, PinsRepository } from './pins.repository.ts';

/** A target as its users call it. */
interface Named extends TargetIds {
  namespace: string;
  name: string;
  project: string;
}

/** Operators' overrides: targets that are kept at one release, and in no denominator of a rollout. */
@Injectable()
export class PinsService {
  constructor(
    @Inject(PinsRepository) private readonly repository: PinsRepository,
    @Inject(PinKeeping) private readonly keeping: PinKeeping,
    @Inject(AssignmentsService) private readonly assignments: AssignmentsService,
    @Inject(ApplicationViews) private readonly views: ApplicationViews,
    @Inject(AccessService) private readonly access: AccessService,
  ) {}

  /** Throws `not-found`, `forbidden`, and `precondition` where there is nothing that it could be kept at. */
  async pin(actor: Actor, namespace: string, name: string, request: PinRequest): Promise<Pinned> {
    const { row, target, owner } = await this.#target(actor, namespace, name, request.cluster);
    if (row.leaving_at || row.tombstoned_at)
      throw new MusterError('precondition', `the Application ${name} is leaving`, {
        hint: '`muster app restore` takes it back',
      });
    return this.repository.db.transaction().execute(async (trx) => {
      await this.#hold(trx, owner, name);
      const content =
        request.release === undefined
          ? await this.repository.current(trx, target)
          : await this.repository.ofRelease(trx, owner.id, request.release, target);
      if (!content) throw nothingToPin(target, request.release);
      if (request.release !== undefined) await this.#requireApproved(trx, actor, content.releaseId, target);
      const { reason, forSeconds = null } = request;
      const by = actor.userName ?? actor.name;
      await this.repository.pin(trx, target, content, { name: by, reason, forSeconds });
      const byHand = await this.assignments.syncedByHand(trx, [content.digest]);
      const pin = viewOf((await this.repository.find(trx, target))!);
      const details = { release: pin.release?.number, ...(pin.until ? { until: pin.until } : {}) };
      await this.keeping.changed(trx, { actor, action: 'application.pin', target, owner, reason, details });
      return { pin, synced: byHand.size > 0 ? 'by-hand' : 'automated' };
    });
  }

  /** A pin is no way around an approval: to what lacks one, only those pin who may pass it over. */
  async #requireApproved(trx: Trx, actor: Actor, releaseId: string | null, target: Named): Promise<void> {
    if (releaseId === null || this.access.allows(actor, 'admin', target.project)) return;
    const missing = missingApproval(await this.repository.rolloutsTo(trx, releaseId, target));
    if (missing === undefined) return;
    throw new MusterError('forbidden', `this release waits for an approval: ${missing}`, {
      where: 'release',
      hint: 'muster rollout approve takes the role approver; only admins pin to what is not approved',
    });
  }

  /** Throws `precondition` where it is not pinned. */
  async unpin(actor: Actor, namespace: string, name: string, request: UnpinRequest): Promise<Unpinned> {
    const { target, owner } = await this.#target(actor, namespace, name, request.cluster);
    return this.repository.db.transaction().execute(async (trx) => {
      await this.#hold(trx, owner, name);
      const next = await this.keeping.letGo(trx, { actor, target, owner, reason: request.reason });
      if (next === undefined) throw new MusterError('precondition', `${namespace}/${name} is not pinned`);
      return { next };
    });
  }

  /** Lets go of everything whose time is over. */
  async expire(): Promise<void> {
    for (const { owner, ...target } of await this.repository.expired()) {
      await this.repository.db.transaction().execute(async (trx) => {
        if (!(await this.assignments.hold(trx, owner))) return;
        // It may have been pinned anew meanwhile.
        const pin = await this.repository.find(trx, target);
        if (!pin?.until || pin.until.getTime() > Date.now()) return;
        const reason = `its time is over: ${pin.by} pinned it until ${pin.until.toISOString()}`;
        await this.keeping.letGo(trx, { actor: systemActor, target, owner, reason });
      });
    }
  }

  async #target(actor: Actor, namespace: string, name: string, cluster: string | undefined) {
    const row = await this.views.visible(actor, namespace, name);
    this.access.require(actor, 'operator', row.project);
    if (cluster !== undefined && row.cluster_name !== cluster)
      throw new MusterError(
        'not-found',
        `${namespace}/${name} is not in cluster ${cluster}: it is in ${row.cluster_name ?? 'none'}`,
      );
    if (!row.cluster_id)
      throw new MusterError(
        'precondition',
        `the Application ${name} is in no cluster: there is nothing to pin`,
      );
    const target: Named = {
      applicationId: row.id,
      clusterId: row.cluster_id,
      namespace,
      name,
      project: row.project,
    };
    return { row, target, owner: ownerOf(row) };
  }

  async #hold(trx: Trx, owner: Owner, name: string): Promise<void> {
    if (!(await this.assignments.hold(trx, owner)))
      throw new MusterError('not-found', `there is no Application ${name} any more`);
  }
}

function nothingToPin({ namespace, name }: Named, release: number | undefined): MusterError {
  const app = `${namespace}/${name}`;
  if (release === undefined)
    return new MusterError('precondition', `${app} holds nothing yet that it could be kept at`);
  return new MusterError(
    'precondition',
    `release ${release} of ${app} in this cluster is not in the history`,
    {
      where: 'release',
      hint: `muster app history ${app} shows the releases that are`,
    },
  );
}

function viewOf({ by, reason, since, until, release }: PinRow): PinView {
  return {
    ...(release ? { release } : {}),
    by,
    reason,
    since: since.toISOString(),
    ...(until ? { until: until.toISOString() } : {}),
  };
}
