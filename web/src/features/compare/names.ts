import type { PromotionEnvironmentView, RolloutView } from '@muster/api';
import type { FleetSearch } from '../fleet/search.ts';

/** Two names as `muster release diff` takes them. */
export type Compared = Required<Pick<FleetSearch, 'a' | 'b'>>;

/** What a rollout changes; undefined: it is the first release, or one of the two is forgotten. */
export function comparedByRollout({
  owner,
  from,
  to,
}: Pick<RolloutView, 'owner' | 'from' | 'to'>): Compared | undefined {
  if (from?.number === undefined || to.number === undefined || from.number === to.number) return undefined;
  return { a: `${owner}#${from.number}`, b: `${owner}#${to.number}` };
}

/** What an environment would become: what it holds, and the release of the environment before that is on its way, or what that holds. */
export function comparedByPromotion(
  { owner, current }: Pick<PromotionEnvironmentView, 'owner' | 'current'>,
  before: Pick<PromotionEnvironmentView, 'owner'>,
): Compared {
  return { a: owner, b: current ? `${before.owner}#${current.release}` : before.owner };
}
