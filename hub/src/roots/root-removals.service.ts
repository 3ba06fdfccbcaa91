import { MusterError } from '@muster/base';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { Events } from '../api/events.ts';
import { removalOf } from '../applications/application-manifest.ts';
import { ApplicationRecords } from '../applications/application-records.service.ts';
import { RemovalBudget } from '../applicationsets/removal-budget.service.ts';
import { SetRemovals } from '../applicationsets/set-removals.service.ts';
import { Audit } from '../audit/audit.ts';
import { CONFIG, type Config } from '../config.ts';
import { ProjectsService } from '../projects/projects.service.ts';
import { Outbox } from '../queue/outbox.ts';
import type { Trx } from '../store/schema.ts';
import { childKey } from './child.ts';
import type { LoadedRoot } from './root-facts.service.ts';
import type { OwnedChild, RootPlan } from './root-plan.ts';
import { RootWorldRepository } from './root-world.repository.ts';
import { Roots } from './roots.service.ts';
import { RootsRepository } from './roots.repository.ts';

/** Children that leave: within the deletion budget after their grace, the others once somebody approves. */
@Injectable()
export class RootRemovals {
  constructor(
    @Inject(RootsRepository) private readonly repository: RootsRepository,
    @Inject(RootWorldRepository) private readonly world: RootWorldRepository,
    @Inject(ApplicationRecords) private readonly records: ApplicationRecords,
    @Inject(SetRemovals) private readonly sets: SetRemovals,
    @Inject(ProjectsService) private readonly projects: ProjectsService,
    @Inject(RemovalBudget) private readonly budget: RemovalBudget,
    @Inject(Roots) private readonly roots: Roots,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(Audit) private readonly audit: Audit,
    @Inject(Events) private readonly events: Events,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** Decides on the removals of a plan in one transaction. Throws `forbidden` for what the root may not remove. */
  async remove(trx: Trx, loaded: LoadedRoot, { remove, held }: RootPlan, actor: Actor): Promise<void> {
    const { row } = loaded.record;
    const root = { id: row.id, name: `${row.namespace}/${row.name}` };
    const leaving = remove.filter((one) => one.leavingAt === null);
    const applications = leaving.filter((one) => one.kind === 'Application');
    const rows = await this.records.byNames(trx, applications);
    for (const one of rows) this.access.require(actor, 'operator', one.project);
    const removals = rows.map((one) => ({ id: one.id, clusterId: one.cluster_id, project: one.project }));
    const overrun = await this.budget.hold(trx, root, () => this.#scope(trx, root), removals);
    const at = new Date(Date.now() + this.config.deletionGraceSeconds * 1000);
    const leaves = rows.map((one) => ({
      id: one.id,
      action: removalOf(this.records.open(one).manifest),
      heldReason: held ?? overrun.get(one.id) ?? null,
      counted: true,
    }));
    await this.records.leave(trx, leaves, at);
    for (const one of applications) await this.repository.leaving(trx, one, { counted: 1, heldReason: null });
    for (const one of remove) await this.#other(trx, one, loaded, held, actor);
    await this.#tell(trx, rows, actor, root.name);
  }

  async #scope(trx: Trx, root: { id: string; name: string }) {
    return { what: `root ${root.name}`, ...(await this.world.budget(trx, root.id)) };
  }

  async #tell(
    trx: Trx,
    rows: readonly { id: string; namespace: string; name: string; project: string }[],
    actor: Actor,
    root: string,
  ): Promise<void> {
    for (const { namespace, name, project } of rows)
      await this.audit.record(trx, {
        actor,
        action: 'application.delete',
        object: `application/${namespace}/${name}`,
        project,
        details: { root },
      });
    await this.events.publish(
      'application',
      rows.map((one) => `${one.namespace}/${one.name}`),
      { trx },
    );
    await this.outbox.add(
      trx,
      'render',
      rows.map((one) => `application:${one.id}`),
    );
  }

  /** Sets with Applications always wait for an approval, and stay what they are until then; projects go when empty. */
  async #other(
    trx: Trx,
    child: OwnedChild,
    { weights }: LoadedRoot,
    held: string | null,
    actor: Actor,
  ): Promise<void> {
    if (child.kind === 'ApplicationSet') {
      const counted = weights.get(childKey(child)) ?? 0;
      const reason =
        held ??
        (counted > 0
          ? `waits for an approval: all ${counted} Applications of the set would be removed`
          : null);
      if (!reason) await this.sets.removeIn(trx, actor, child, false);
      await this.repository.leaving(trx, child, { counted, heldReason: reason });
    }
    if (child.kind === 'AppProject') {
      if (child.leavingAt === null && held)
        return this.repository.leaving(trx, child, { counted: 0, heldReason: held });
      this.access.require(actor, 'admin');
      await this.repository.leaving(trx, child, { counted: 0, heldReason: null });
      if (child.name === 'default') return this.repository.detach(trx, [child]);
      await this.projects.removeIn(trx, child.name, actor).catch((thrown: unknown) => {
        // Something belongs to it still: it is tried again.
        if (MusterError.from(thrown).code !== 'precondition') throw thrown;
      });
    }
  }

  /** Lets everything go that a root holds back. Throws `precondition` when nothing waits, `forbidden` for one's projects. */
  async approve(
    actor: Actor,
    root: { id: string; namespace: string; name: string; project: string },
    reason?: string,
  ): Promise<{ approved: number }> {
    this.access.require(actor, 'approver', root.project);
    const name = `${root.namespace}/${root.name}`;
    return this.repository.db.transaction().execute(async (trx) => {
      await this.repository.lock(trx, root.id);
      const standing = (await this.repository.children(root.id, trx)).filter(
        (one) => !one.detached && !one.gone_at && one.leaving_at,
      );
      const ofKind = (kind: OwnedChild['kind']) => standing.filter((one) => one.kind === kind);
      const rows = (await this.records.byNames(trx, ofKind('Application'))).filter((one) => one.held_reason);
      const others = standing.filter((one) => one.held_reason !== null);
      if (rows.length + others.length === 0)
        throw new MusterError('precondition', `no removal of ${name} waits for an approval`);
      for (const one of rows) this.access.require(actor, 'approver', one.project);
      await this.records.approveOnes(
        trx,
        rows.map((one) => one.id),
      );
      for (const one of [...rows.map((row) => ({ ...row, kind: 'Application' as const })), ...others])
        await this.repository.leaving(trx, one, { counted: 0, heldReason: null });
      for (const one of others) {
        if (one.kind === 'ApplicationSet') await this.sets.removeIn(trx, actor, one, true);
        else this.access.require(actor, 'approver', one.name);
      }
      await this.outbox.add(
        trx,
        'render',
        rows.map((one) => `application:${one.id}`),
      );
      await this.roots.ask(trx, [root.id]);
      await this.audit.record(trx, {
        actor,
        action: 'application.approve-deletions',
        object: `application/${name}`,
        project: root.project,
        ...(reason ? { reason } : {}),
        details: {
          children: [...rows.map((one) => `${one.namespace}/${one.name}`), ...others.map(childKey)],
        },
      });
      await this.events.publish('application', [name, ...rows.map((one) => `${one.namespace}/${one.name}`)], {
        trx,
      });
      return { approved: rows.length + others.length };
    });
  }
}
