import type { ApplicationView } from '@muster/api';
import { Section } from '../../ui/drawer.tsx';
import { Ago } from '../../ui/parts.tsx';
import { RolloutLink } from './parts.tsx';
import { RolloutBadge } from './rollout-badge.tsx';
import { badgeOf, phaseWord } from './rollout-state.ts';

/** On an Application: what a rollout does to it, and the way there. */
export function RolloutSection({ app: { rollout, pinned } }: { app: ApplicationView }) {
  const badge = rollout && !pinned && badgeOf({ rollout });
  if (!rollout?.id && !badge) return null;
  const { id, phase, since } = rollout!;
  return (
    <Section title="Rollout" aside={since && !pinned && <For at={since} />}>
      {badge && (
        <p className="break-words">
          <RolloutBadge badge={badge} /> {badge.says}
        </p>
      )}
      {id && (
        <p className="mt-1">
          <RolloutLink id={id}>Show the rollout</RolloutLink>
          {phase && <span className="text-muted"> ({phaseWord(phase)})</span>}
        </p>
      )}
    </Section>
  );
}

function For({ at }: { at: string }) {
  return (
    <>
      for <Ago at={at} />
    </>
  );
}
