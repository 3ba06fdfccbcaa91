import type { ApplicationView } from '@muster/api';
import { Facts, Section } from '../../ui/drawer.tsx';
import { Ago } from '../../ui/parts.tsx';
import { Left } from '../rollouts/parts.tsx';
import { RolloutBadge } from '../rollouts/rollout-badge.tsx';
import { badgeOf } from '../rollouts/rollout-state.ts';
import { keptAt } from './pins.ts';

/** Who keeps an Application at one release, why, since when and until when. */
export function PinSection({ app: { pinned, rollout } }: { app: ApplicationView }) {
  const badge = pinned && badgeOf({ pinned, rollout });
  if (!pinned || !badge) return null;
  const { by, reason, since, until } = pinned;
  return (
    <Section title="Pinned">
      <p className="mb-1.5 break-words">
        <RolloutBadge badge={badge} /> Kept at {keptAt(pinned)}. No rollout and no newer release moves it.
      </p>
      <Facts
        facts={[
          ['By', by],
          ['Reason', reason],
          ['Since', <Ago key="since" at={since} suffix=" ago" />],
          [
            'Until',
            until ? (
              <span key="until">
                it ends by itself in <Left until={until} offset={0} over="a moment" />
              </span>
            ) : (
              'somebody lets go of it'
            ),
          ],
        ]}
      />
    </Section>
  );
}
