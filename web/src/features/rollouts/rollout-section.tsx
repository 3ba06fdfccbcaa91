import type { ApplicationView } from '@muster/api';
import { Section } from '../../ui/drawer.tsx';
import { Ago } from '../../ui/parts.tsx';
import { RolloutLink } from './parts.tsx';
import { RolloutBadge } from './rollout-badge.tsx';
import { badgeOf, phaseWord } from './rollout-state.ts';

/** On an Application: what a rollout does to it, and the way there. */
export function RolloutSection({ rollout }: { rollout: ApplicationView['rollout'] }) {
  if (!rollout) return null;
  const { id, phase, since } = rollout;
  return (
    <Section
      title="Rollout"
      aside={
        <>
          since <Ago at={since} />
        </>
      }
    >
      <p className="break-words">
        <RolloutBadge rollout={rollout} /> {badgeOf(rollout).says}
      </p>
      {id && (
        <p className="mt-1">
          <RolloutLink id={id}>Show the rollout</RolloutLink>
          {phase && <span className="text-muted"> ({phaseWord(phase)})</span>}
        </p>
      )}
    </Section>
  );
}
