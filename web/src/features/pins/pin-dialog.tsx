import type { ApplicationView } from '@muster/api';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNow } from '../../lib/clock.ts';
import { hub } from '../../lib/hub.ts';
import { exactly } from '../../lib/time.ts';
import { AskDialog } from '../../ui/ask-dialog.tsx';
import { Labelled, SelectField, TextField } from '../../ui/field.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { historyQuery } from '../applications/queries.ts';
import { keyOf, shownRevision } from '../applications/state.ts';
import { releaseOption } from '../rollouts/verb-dialog.tsx';
import {
  EMPTY_FORM,
  LENGTHS,
  type PinForm,
  type PinVerb,
  outcome,
  pinText,
  secondsOf,
  wrongIn,
} from './pins.ts';

interface PinDialogProps {
  app: ApplicationView;
  verb: PinVerb;
  close: () => void;
  /** In words, what the hub made of it. */
  onDone: (told: string) => void;
}

/** Asks at which release an Application is kept, for how long and why; or why it is let go of. */
export function PinDialog({ app, verb, close, onDone }: PinDialogProps) {
  const queries = useQueryClient();
  const [form, setForm] = useState<PinForm>(EMPTY_FORM);
  const { namespace, name } = app;
  const ask = async (reason: string) => {
    if (verb === 'unpin') return hub.applications.unpin(namespace, name, { reason });
    const forSeconds = secondsOf(form);
    return hub.applications.pin(namespace, name, {
      ...(form.release !== '' && { release: Number(form.release) }),
      ...(forSeconds !== undefined && { forSeconds }),
      reason,
    });
  };
  return (
    <AskDialog
      text={pinText(app, verb)}
      fields={verb === 'pin' && <Fields app={app} form={form} change={setForm} />}
      wrong={verb === 'pin' ? wrongIn(form) : undefined}
      ask={ask}
      close={close}
      onDone={(answer) => {
        onDone(outcome(answer));
        void queries.invalidateQueries({ queryKey: ['application', keyOf(app)] });
      }}
    />
  );
}

function Fields({
  app,
  form,
  change,
}: {
  app: ApplicationView;
  form: PinForm;
  change: (form: PinForm) => void;
}) {
  const { data, error } = useQuery(historyQuery(keyOf(app)));
  const set = (part: Partial<PinForm>) => change({ ...form, ...part });
  const releases = data?.releases.filter(({ removed }) => removed === undefined) ?? [];
  return (
    <>
      <Labelled text="Release">
        <SelectField label="Release" value={form.release} onChange={(release) => set({ release })} wide>
          <option value="">what it holds now ({shownRevision(app)})</option>
          {releases.map((release) => (
            <option key={release.id} value={release.number}>
              {releaseOption(release)}
            </option>
          ))}
        </SelectField>
      </Labelled>
      {error && <ErrorNotice error={error} />}
      <Labelled text="For how long">
        <SelectField label="For how long" value={form.length} onChange={(length) => set({ length })} wide>
          <option value="">until somebody lets go of it</option>
          {LENGTHS.map(({ value, label }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
          <option value="other">another time …</option>
        </SelectField>
      </Labelled>
      {form.length === 'other' && (
        <div className="flex gap-2">
          <TextField
            aria-label="How many"
            inputMode="numeric"
            value={form.amount}
            onChange={(event) => set({ amount: event.target.value })}
            className="w-20"
          />
          <SelectField
            label="Hours or days"
            value={form.unit}
            onChange={(unit) => set({ unit: unit as PinForm['unit'] })}
          >
            <option>hours</option>
            <option>days</option>
          </SelectField>
        </div>
      )}
      <Until form={form} />
    </>
  );
}

function Until({ form }: { form: PinForm }) {
  const now = useNow();
  const seconds = wrongIn(form) === undefined ? secondsOf(form) : undefined;
  if (seconds === undefined) return null;
  return (
    <p className="text-muted">
      It ends by itself at {exactly(new Date(now + seconds * 1000).toISOString())}.
    </p>
  );
}
