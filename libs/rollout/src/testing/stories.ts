import type { TargetInput } from '../types.ts';
import { type World, targetInput } from './world.ts';

// Words that the stories of rollouts are told in.

export const MINUTE = 60_000;
export const by = { actor: 'ada', reason: 'because' };
const names = (count: number) => Array.from({ length: count }, (_, i) => `c${i + 1}`);
export const fleet = (count: number, more: (name: string, i: number) => Partial<TargetInput> = () => ({})) =>
  names(count).map((name, i) => targetInput(name, more(name, i)));
export const assigned = (world: World, purpose: 'advance' | 'restore' = 'advance') =>
  world.issued.flatMap(({ action }) =>
    action.kind === 'assign' && action.purpose === purpose ? [`${action.target}=${action.digest}`] : [],
  );
export const phase = (world: World) => world.state.rollout.phase;
export const step = (world: World) => world.state.rollout.stages[world.state.rollout.stage]?.step;
