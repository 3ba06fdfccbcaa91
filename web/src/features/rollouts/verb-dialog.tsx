import type { RolloutDetail, RolloutReleases, RolloutView } from '@muster/api';
import { shortCommit } from '@muster/api/commits';
import { useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { Labelled, SelectField, TextField } from '../../ui/field.tsx';
import { Modal, ModalClose } from '../../ui/modal.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Button } from '../../ui/parts.tsx';
import { releasesQuery } from './queries.ts';
import { hasEnded } from './rollout-state.ts';
import { type Ask, verbBody, verbText } from './verbs.ts';

interface VerbDialogProps {
  rollout: RolloutDetail;
  ask: Ask;
  close: () => void;
  /** The hub has agreed; the page shows what comes of it as it hears of it. */
  onDone: (ask: Ask, after: RolloutView) => void;
}

/** Says what will happen and to whom, asks why, and asks the hub. */
export function VerbDialog({ rollout, ask, close, onDone }: VerbDialogProps) {
  const [reason, setReason] = useState('');
  const [to, setTo] = useState('');
  const [asked, setAsked] = useState(false);
  // What is asked is what was read: the words do not change under the hand that presses the button.
  const [{ title, label, says, needsReason }] = useState(() => verbText(rollout, ask));
  const chooses = ask.verb === 'undo' && hasEnded(rollout);
  const act = useMutation({
    mutationFn: () =>
      hub.rollouts.ask(rollout.id, verbBody(ask, reason.trim(), to === '' ? undefined : Number(to))),
    onSuccess: (after) => onDone(ask, after),
  });
  const missing = needsReason && reason.trim() === '' ? 'Say why: whoever comes next will ask.' : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!missing) act.mutate();
  };
  return (
    <Modal title={title} close={close} says={says.map((each) => <p key={each}>{each}</p>)}>
      <form noValidate onSubmit={submit} className="mt-3 space-y-3">
        <fieldset disabled={act.isPending} className="space-y-3">
          {chooses && <ReleaseChoice rollout={rollout} value={to} onChange={setTo} />}
          <Labelled
            text={`Reason, for the audit log and the history${needsReason ? '' : ' (may be left out)'}`}
          >
            <TextField
              value={reason}
              maxLength={1000}
              required={needsReason}
              aria-invalid={asked && missing !== undefined}
              onChange={(event) => setReason(event.target.value)}
              className="w-full"
            />
          </Labelled>
        </fieldset>
        {asked && missing && (
          <p role="alert" className="text-bad">
            {missing}
          </p>
        )}
        {act.isError && (
          <div className="-mx-3">
            <ErrorNotice error={act.error} />
          </div>
        )}
        <div className="flex justify-end gap-2">
          <ModalClose asChild>
            <Button>Cancel</Button>
          </ModalClose>
          <Button type="submit" primary danger={needsReason} disabled={act.isPending}>
            {act.isPending ? 'Asking the hub …' : label}
          </Button>
        </div>
      </form>
    </Modal>
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

function releaseOption({ number, commit, message, cause }: RolloutReleases['items'][number]): string {
  const subject = message?.split('\n', 1)[0] ?? cause;
  return [`#${number}`, commit && shortCommit(commit), subject].filter(Boolean).join(' ').slice(0, 100);
}
