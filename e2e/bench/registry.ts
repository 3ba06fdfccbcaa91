import { apply } from './apply.ts';
import { appset } from './appset.ts';
import { commit } from './commit.ts';
import type { Bench } from './figure.ts';
import { large } from './large.ts';
import { memory } from './memory.ts';
import { queue } from './queue.ts';
import { render } from './render.ts';
import { rollouts } from './rollouts.ts';
import { watching } from './watching.ts';

/** Everything that `npm run bench` can measure, in the order in which it does. */
export const benches: readonly Bench[] = [
  render,
  appset,
  apply,
  memory,
  watching,
  queue,
  commit,
  rollouts,
  large,
];
