import type { PromotionChangeView, PromotionEnvironmentView, PromotionView } from '@muster/api';
import {
  type Environment,
  type EnvironmentStanding,
  approvalFor,
  objectText,
  parsePromotion,
} from '@muster/rollout';
import { ownerName } from './promotion-text.ts';
import { type ChangeRow, type PromotionRow, changeOf } from './promotions.repository.ts';

/** Who looks at it: an approval may be theirs to give. */
export interface Asker {
  name: string;
  groups: readonly string[];
}

type Changes = ReadonlyMap<string, { current?: ChangeRow; last?: ChangeRow }>;

export function viewOf(row: PromotionRow, changes: Changes, asker: Asker): PromotionView {
  const promotion = parsePromotion(row.manifest, `Promotion ${row.name}`);
  const standings = row.standings as Record<string, EnvironmentStanding | undefined>;
  return {
    name: row.name,
    project: row.project,
    repository: promotion.repository,
    ...(row.paused ? { paused: row.paused } : {}),
    environments: promotion.environments.map((one) =>
      environmentView(one, standings[one.name], changes.get(one.name) ?? {}, asker),
    ),
    ...(row.looked_at ? { lookedAt: row.looked_at.toISOString() } : {}),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
    updatedBy: row.updated_by,
  };
}

function environmentView(
  environment: Environment,
  standing: EnvironmentStanding | undefined,
  { current, last }: { current?: ChangeRow; last?: ChangeRow },
  asker: Asker,
): PromotionEnvironmentView {
  const { name, owner, branch, path, production, change } = environment;
  const passed = standing?.kind === 'passed';
  return {
    name,
    owner: ownerName(environment),
    ownerKind: owner.kind,
    branch,
    path,
    production,
    ...(change ? { change: change.kind, mode: change.mode } : {}),
    passed,
    standing: passed
      ? `${standing.label} is healthy everywhere`
      : (standing?.why ?? 'it was not looked at yet'),
    ...(passed
      ? {
          passedAt: new Date(standing.since).toISOString(),
          release: { number: standing.number, commit: standing.commit },
        }
      : {}),
    ...(current ? { current: changeView(current, environment, asker) } : {}),
    ...(last ? { last: changeView(last, environment, asker) } : {}),
  };
}

export function changeView(
  row: ChangeRow,
  environment: Environment | undefined,
  asker: Asker,
): PromotionChangeView {
  const { state, removals, approvals, createdAt } = changeOf(row);
  const asks = environment && state === 'waiting' ? approvalFor(environment, removals) : null;
  return {
    id: row.id,
    environment: row.environment,
    state,
    since: row.since.toISOString(),
    why: row.why,
    release: Number(row.release_number),
    commit: row.commit,
    ...(removals && removals.count > 0
      ? { removes: { ...removals, names: removals.names.map(objectText) } }
      : {}),
    approvals,
    ...(asks
      ? {
          asks: {
            count: missingApprovals(row, environment),
            groups: asks.groups,
            yours: mayApprove(asks.groups, approvals, asker),
            until: new Date(createdAt + asks.expiresMs).toISOString(),
          },
        }
      : {}),
    ...(row.retry_at && !row.ended_at ? { retryAt: row.retry_at.toISOString() } : {}),
    ...(row.branch ? { branch: row.branch } : {}),
    ...(row.pull_number && row.pull_url
      ? { pullRequest: { number: Number(row.pull_number), url: row.pull_url } }
      : {}),
    ...(row.result ? { result: row.result } : {}),
    createdAt: row.created_at.toISOString(),
    ...(row.ended_at ? { endedAt: row.ended_at.toISOString() } : {}),
  };
}

/** Approvals that a change waits for before it is made. */
export function missingApprovals(row: ChangeRow, environment: Environment | undefined): number {
  const { state, removals, approvals } = changeOf(row);
  const asks = environment && state === 'waiting' ? approvalFor(environment, removals) : null;
  return asks ? Math.max(0, asks.count - approvals.length) : 0;
}

/** Whether the groups let them, once: whether they have the role is for who asks. */
function mayApprove(
  groups: readonly string[],
  approvals: PromotionChangeView['approvals'],
  { name, groups: own }: Asker,
): boolean {
  if (approvals.some(({ actor }) => actor === name)) return false;
  return groups.length === 0 || groups.some((group) => own.includes(group));
}
