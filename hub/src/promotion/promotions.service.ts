import type { PromotionList, PromotionVerb, PromotionView } from '@muster/api';
import { MusterError, canonicalJson } from '@muster/base';
import { type Promotion, approvalFor, parsePromotion } from '@muster/rollout';
import { Inject, Injectable } from '@nestjs/common';
import { AccessService } from '../access/access.service.ts';
import type { Actor } from '../access/actor.ts';
import { DirectoryService } from '../access/directory.service.ts';
import { Outbox } from '../queue/outbox.ts';
import type { Trx } from '../store/schema.ts';
import { type CheckedPromotion, refuseLoops } from './promotion-check.ts';
import { PromotionNews } from './promotion-news.service.ts';
import { type Asker, changeView, missingApprovals, viewOf } from './promotion-views.ts';
import {
  type ChangeRow,
  type PromotionRow,
  PromotionsRepository,
  changeOf,
} from './promotions.repository.ts';

const HISTORY = 50;

/** Promotions as users apply, see, steer and delete them. */
@Injectable()
export class PromotionsService {
  constructor(
    @Inject(PromotionsRepository) private readonly repository: PromotionsRepository,
    @Inject(AccessService) private readonly access: AccessService,
    @Inject(DirectoryService) private readonly directory: DirectoryService,
    @Inject(Outbox) private readonly outbox: Outbox,
    @Inject(PromotionNews) private readonly news: PromotionNews,
  ) {}

  async list(actor: Actor): Promise<PromotionList> {
    const rows = (await this.repository.all()).filter(({ project }) =>
      this.access.allows(actor, 'viewer', project),
    );
    const asker = await this.#asker(actor);
    return { items: await Promise.all(rows.map((row) => this.#view(row, asker))) };
  }

  /** How many of all wait for an approval. */
  async asking(): Promise<number> {
    const rows = await this.repository.waiting();
    const asking = rows.filter(({ manifest, change }) => {
      const { environments } = parsePromotion(manifest);
      return (
        missingApprovals(
          change,
          environments.find(({ name }) => name === change.environment),
        ) > 0
      );
    });
    return new Set(asking.map(({ change }) => change.promotion_id)).size;
  }

  /** With its document and history. Throws `not-found`. */
  async get(actor: Actor, name: string): Promise<PromotionView> {
    const row = await this.#visible(actor, name);
    const { environments } = parsePromotion(row.manifest);
    const asker = await this.#asker(actor);
    const history = await this.repository.history(row.id, HISTORY);
    return {
      ...(await this.#view(row, asker)),
      manifest: row.manifest,
      history: history.map((one) =>
        changeView(
          one,
          environments.find(({ name: its }) => its === one.environment),
          asker,
        ),
      ),
    };
  }

  /** Throws `invalid` where it closes a loop with others. */
  async apply(
    trx: Trx,
    { promotion, manifest }: CheckedPromotion,
    actor: Actor,
  ): Promise<'created' | 'configured' | 'unchanged'> {
    const { name, project } = promotion;
    const before = await this.repository.byName(name, trx);
    if (before && canonicalJson(before.manifest) === canonicalJson(manifest)) return 'unchanged';
    refuseLoops(promotion, readable(await this.repository.all(trx)));
    const id = await this.repository.write(trx, { name, project, manifest, by: actor.name });
    const [, ...following] = promotion.environments;
    await this.repository.endOthers(
      trx,
      id,
      following.map((one) => one.name),
    );
    await this.#ask(trx, id);
    await this.news.record(trx, { name, project, actor, action: before ? 'change' : 'create' });
    await this.news.changed(trx, { name, project });
    return before ? 'configured' : 'created';
  }

  /** Pull requests that are open stay so. Throws `not-found`. */
  async remove(actor: Actor, name: string): Promise<void> {
    const row = await this.#visible(actor, name);
    this.access.require(actor, 'admin');
    await this.repository.db.transaction().execute(async (trx) => {
      await this.repository.remove(trx, row.id);
      const { project } = row;
      await this.news.record(trx, { name, project, actor, action: 'delete' });
      await this.news.changed(trx, { name, project });
    });
  }

  /** Throws `forbidden`, `not-found`, or `precondition` with the reason why it makes no sense now. */
  async ask(actor: Actor, name: string, asked: PromotionVerb): Promise<PromotionView> {
    const { project, id } = await this.#visible(actor, name);
    const approves = asked.verb === 'approve' || asked.verb === 'reject';
    this.access.require(actor, approves ? 'approver' : 'operator', project);
    const groups = approves ? await this.directory.groupsOf(actor) : [];
    const by = { actor: actor.userName ?? actor.name, groups };
    const row = await this.repository.db.transaction().execute(async (trx) => {
      const held = await this.repository.lock(trx, id);
      if (!held) throw notThere(name);
      const environment = await this.#obey(trx, held, asked, by);
      await this.#ask(trx, id);
      const { verb, reason } = asked;
      const details = environment ? { environment } : {};
      await this.news.record(trx, { name, project, actor, action: verb, reason, details });
      await this.news.changed(trx, { name, project });
      return (await this.repository.byName(name, trx))!;
    });
    return this.#view(row, await this.#asker(actor));
  }

  /** Answers the environment that it was about. */
  async #obey(
    trx: Trx,
    row: PromotionRow,
    { verb, environment, reason }: PromotionVerb,
    { actor, groups }: { actor: string; groups: readonly string[] },
  ): Promise<string | undefined> {
    switch (verb) {
      case 'pause':
        if (row.paused) throw new MusterError('precondition', `${row.paused.actor} has paused it already`);
        await this.repository.update(trx, row.id, {
          paused: JSON.stringify({ actor, reason, at: new Date().toISOString() }),
        });
        return undefined;
      case 'resume':
        if (!row.paused) throw new MusterError('precondition', 'it is not paused');
        await this.repository.update(trx, row.id, { paused: null });
        return undefined;
      case 'approve':
      case 'reject':
        return this.#decide(trx, row, verb, environment, { actor, groups, reason });
      case 'retry':
        return this.#retry(trx, row, environment);
    }
  }

  async #decide(
    trx: Trx,
    row: PromotionRow,
    verb: 'approve' | 'reject',
    named: string | undefined,
    { actor, groups, reason }: { actor: string; groups: readonly string[]; reason: string },
  ): Promise<string> {
    const promotion = parsePromotion(row.manifest);
    const changes = await this.repository.newest(trx, row.id);
    const asking = promotion.environments.flatMap((environment) => {
      const change = changes.get(environment.name)?.current;
      if (!change || (named !== undefined && named !== environment.name)) return [];
      const approval = approvalFor(environment, change.removals);
      const asks = change.state === 'waiting' && approval && change.approvals.length < approval.count;
      return asks || (verb === 'reject' && change.state !== 'open')
        ? [{ environment, change, approval }]
        : [];
    });
    const { environment, change, approval } = one(asking, promotion, named, 'asks for an approval');
    if (approval && approval.groups.length > 0 && !approval.groups.some((group) => groups.includes(group)))
      throw new MusterError('forbidden', `this needs a member of ${approval.groups.join(' or ')}`);
    if (verb === 'reject') {
      const why = `rejected by ${actor}${reason ? `: ${reason}` : ''}`;
      await this.repository.move(trx, change.id, 'rejected', { why });
      return environment.name;
    }
    if (change.approvals.some((given) => given.actor === actor))
      throw new MusterError('precondition', `${actor} has approved it already: it takes another person`);
    const approvals = [...change.approvals, { actor, reason, at: new Date().toISOString() }];
    await this.repository.move(trx, change.id, 'waiting', { approvals: JSON.stringify(approvals) });
    return environment.name;
  }

  /** What failed is tried now; what was closed, rejected or expired begins again. */
  async #retry(trx: Trx, row: PromotionRow, named: string | undefined): Promise<string> {
    const promotion = parsePromotion(row.manifest);
    const changes = await this.repository.newest(trx, row.id);
    const stuck = promotion.environments.flatMap((environment) => {
      const { current, last } = changes.get(environment.name) ?? {};
      if (named !== undefined && named !== environment.name) return [];
      const change = current ?? last;
      return change && RETRIED.has(change.state) ? [{ environment, change }] : [];
    });
    const { environment, change } = one(stuck, promotion, named, 'failed, conflicts, or was closed');
    if (!change.ended_at)
      await this.repository.move(trx, change.id, changeOf(change).state, { retry_at: null });
    else await this.repository.begin(trx, row.id, environment.name, again(change));
    return environment.name;
  }

  async #view(row: PromotionRow, asker: Asker): Promise<PromotionView> {
    return viewOf(row, await this.repository.newest(this.repository.db, row.id), asker);
  }

  async #asker(actor: Actor): Promise<Asker> {
    return { name: actor.userName ?? actor.name, groups: await this.directory.groupsOf(actor) };
  }

  async #ask(trx: Trx, id: string): Promise<void> {
    await this.outbox.add(trx, 'sources', [`promotion:${id}`]);
  }

  /** Throws `not-found`, also for what the actor may not see. */
  async #visible(actor: Actor, name: string): Promise<PromotionRow> {
    const row = await this.repository.byName(name);
    if (!row || !this.access.allows(actor, 'viewer', row.project)) throw notThere(name);
    return row;
  }
}

const RETRIED = new Set(['failed', 'conflict', 'closed', 'rejected', 'expired', 'open']);

function again({ release_id, release_number, commit, removals }: ChangeRow) {
  return { release: release_id, number: Number(release_number), commit, removals };
}

/** The only one; throws `precondition` or `invalid` where there is none, or several. */
function one<T extends { environment: { name: string } }>(
  found: readonly T[],
  promotion: Promotion,
  named: string | undefined,
  what: string,
): T {
  const [first, ...more] = found;
  if (first && more.length === 0) return first;
  if (more.length > 0)
    throw new MusterError(
      'precondition',
      `several environments: ${found.map(({ environment }) => environment.name).join(', ')}`,
      {
        where: 'environment',
        hint: '--environment says which',
      },
    );
  if (named !== undefined && !promotion.environments.some(({ name }) => name === named))
    throw new MusterError('not-found', `it has no environment ${named}`, { where: 'environment' });
  throw new MusterError('precondition', `nothing of ${named ?? promotion.name} ${what}`, {
    hint: `muster promotion get ${promotion.name}`,
  });
}

function readable(rows: readonly PromotionRow[]): Promotion[] {
  return rows.flatMap(({ manifest }) => {
    try {
      return [parsePromotion(manifest)];
    } catch {
      // One that an earlier version of the hub took leads nowhere.
      return [];
    }
  });
}

function notThere(name: string): MusterError {
  return new MusterError('not-found', `there is no Promotion ${name}`, {
    hint: '`muster promotion list` shows those there are',
  });
}
