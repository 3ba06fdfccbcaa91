import type { ApplicationView, CommandView } from '@muster/api';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { Modal, ModalClose } from '../../ui/modal.tsx';
import { ErrorNotice } from '../../ui/notice.tsx';
import { Button } from '../../ui/parts.tsx';
import { keyOf } from '../applications/state.ts';
import { ActionFields } from './action-fields.tsx';
import { type ActionForm, actionText, actionTitle, missingIn, parametersOf } from './action-texts.ts';
import type { ObjectName } from './object-key.ts';
import { looksKey } from './queries.ts';

/** Longer than an action may be under way, so that the last word is there: an outcome, or that it expired. */
const WAIT_SECONDS = 75;

interface DialogProps {
  app: ApplicationView;
  action: string;
  resource: string;
  name: ObjectName;
  live: Record<string, unknown>;
  close: () => void;
}

/** Says what will happen, asks why, has it done, and says how it ended. */
export function ActionDialog({ app, action, resource, name, live, close }: DialogProps) {
  const queries = useQueryClient();
  const [form, setForm] = useState<ActionForm>(() => emptyForm(live));
  const [asked, setAsked] = useState(false);
  const { namespace, name: application } = app;
  // The object that was looked at is meant, not one that takes its name meanwhile.
  const [{ uid }] = useState(() => (live['metadata'] ?? {}) as { uid?: string });
  const act = useMutation({
    mutationFn: async (): Promise<CommandView> => {
      const reason = form.reason.trim();
      const parameters = parametersOf(action, form);
      const body = { resource, action, parameters, ...(uid && { uid }), ...(reason && { reason }) };
      const { command } = await hub.applications.act(namespace, application, body);
      return hub.command(command, WAIT_SECONDS);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: looksKey(keyOf(app)) }),
  });
  const missing = missingIn(action, name, form);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!missing) act.mutate();
  };
  const { label, says, danger } = actionText(action);
  return (
    <Modal
      title={actionTitle(action, name)}
      close={close}
      says={
        <p>
          {says} On {app.destination.cluster ?? app.destination.server}, for {application}.
        </p>
      }
    >
      <form onSubmit={submit} className="mt-3 space-y-3">
        {!act.isSuccess && (
          <fieldset disabled={act.isPending} className="space-y-3">
            <ActionFields action={action} name={name} form={form} change={setForm} />
          </fieldset>
        )}
        {asked && missing && !act.isSuccess && (
          <p role="alert" className="text-bad">
            {missing}
          </p>
        )}
        <p role="status">
          {act.isPending && <span className="text-muted">Sent, waiting for the cluster …</span>}
          {act.isSuccess && <Outcome command={act.data} />}
        </p>
        {act.isError && (
          <div className="-mx-3">
            <ErrorNotice error={act.error} />
          </div>
        )}
        <div className="flex justify-end gap-2">
          <ModalClose asChild>
            <Button>{act.isSuccess || act.isPending ? 'Close' : 'Cancel'}</Button>
          </ModalClose>
          {!act.isSuccess && (
            <Button type="submit" primary danger={danger ?? false} disabled={act.isPending}>
              {label}
            </Button>
          )}
        </div>
      </form>
    </Modal>
  );
}

function Outcome({ command: { outcome, message, sentAt } }: { command: CommandView }) {
  if (!outcome) {
    return (
      <span className="text-warn">
        {sentAt ? 'The cluster has not answered yet.' : 'It has not reached the cluster yet.'} The audit log
        and the tree tell what comes of it.
      </span>
    );
  }
  return (
    <span className={`break-words ${outcome === 'succeeded' ? 'text-good' : 'text-bad'}`}>
      <span className="font-medium">{outcome}</span>
      {message && `: ${message}`}
    </span>
  );
}

function emptyForm(live: Record<string, unknown>): ActionForm {
  const { replicas } = (live['spec'] ?? {}) as { replicas?: unknown };
  return {
    reason: '',
    replicas: typeof replicas === 'number' ? String(replicas) : '',
    propagation: 'Background',
    force: false,
    data: false,
    typed: '',
  };
}
