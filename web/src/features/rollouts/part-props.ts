import type { RolloutDetail } from '@muster/api';
import type { Ask, May } from './verbs.ts';

/** What the parts of a rollout's page need to offer verbs. */
export interface PartProps {
  rollout: RolloutDetail;
  /** By how many milliseconds the hub's clock is ahead. */
  offset: number;
  may: May;
  onAsk: (ask: Ask) => void;
}
