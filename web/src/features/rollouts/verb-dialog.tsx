import type { RolloutDetail, RolloutReleases, RolloutView } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { AskDialog } from '../../ui/ask-dialog.tsx';
import { Labelled, SelectField } from '../../ui/field.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { releasesQuery } from './queries.ts';
import { hasEnded } from './rollout-state.ts';
import { type Ask, verbBody, verbText } from './verbs.ts';

interface VerbDialogProps {
  rollout: RolloutDetail;
  ask: Ask;
  close: () => void;
  onDone: (ask: Ask, after: RolloutView) => void;
}

/** Says what will happen to a rollout and to whom, asks why, and asks the hub. */
export function VerbDialog({ rollout, ask, close, onDone }: VerbDialogProps) {
  const [to, setTo] = useState('');
  const chooses = ask.verb === 'undo' && hasEnded(rollout);
  return (
    <AskDialog
      text={verbText(rollout, ask)}
      fields={chooses && <ReleaseChoice rollout={rollout} value={to} onChange={setTo} />}
      ask={(reason) =>
        hub.rollouts.ask(rollout.id, verbBody(ask, reason, to === '' ? undefined : Number(to)))
      }
      close={close}
      onDone={(after) => onDone(ask, after)}
    />
  );
}

function ReleaseChoice({
  rollout,
  value,
  onChange,
}: {
  rollout: RolloutDetail;
  value: string;
  onChange: (value: string) => void;
}) {
  const { data, error } = useQuery(releasesQuery(rollout.id));
  return (
    <Labelled text="Release to go back to">
      <SelectField label="Release to go back to" value={value} onChange={onChange} wide>
        <option value="">the one before the newest</option>
        {data?.items.map((release) => (
          <option key={release.number} value={release.number}>
            {releaseOption(release)}
          </option>
        ))}
      </SelectField>
      {error && <ErrorNotice error={error} />}
    </Labelled>
  );
}

type Choice = Pick<RolloutReleases['items'][number], 'number' | 'commit' | 'message' | 'cause'>;

/** A release as one of several to choose from. */
export function releaseOption({ number, commit, message, cause }: Choice): string {
  const subject = message?.split('\n', 1)[0] ?? cause;
  return [`#${number}`, commit && shortCommit(commit), subject].filter(Boolean).join(' ').slice(0, 100);
}
