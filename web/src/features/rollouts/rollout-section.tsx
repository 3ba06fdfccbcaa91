import type { ApplicationView } from '@muster/api';
import { exactly } from '../../lib/time.ts';
import { Section } from '../../ui/drawer.tsx';
import { CommandLine } from '../../ui/notice.tsx';
import { Ago } from '../../ui/parts.tsx';
import { RolloutLink } from './parts.tsx';
import { RolloutBadge } from './rollout-badge.tsx';
import { badgeOf, phaseWord } from './rollout-state.ts';

/** On an Application: what a rollout or a pin does to it, and the way there. */
export function RolloutSection({ app }: { app: ApplicationView }) {
  const badge = badgeOf(app);
  if (!badge) return null;
  const { rollout, pinned } = app;
  const since = (pinned ?? rollout)?.since;
  return (
    <Section title={pinned ? 'Pinned' : 'Rollout'} aside={since && <Since at={since} />}>
      <p className="break-words">
        <RolloutBadge badge={badge} /> {badge.says}
        {pinned?.until && ` Until ${exactly(pinned.until)} at the latest.`}
      </p>
      {pinned && (
        <div className="mt-1.5">
          <CommandLine text={`muster app unpin ${app.namespace}/${app.name} --reason "…"`} />
        </div>
      )}
      {rollout?.id && (
        <p className="mt-1">
          <RolloutLink id={rollout.id}>Show the rollout</RolloutLink>
          {rollout.phase && <span className="text-muted"> ({phaseWord(rollout.phase)})</span>}
        </p>
      )}
    </Section>
  );
}

function Since({ at }: { at: string }) {
  return (
    <>
      since <Ago at={at} />
    </>
  );
}
