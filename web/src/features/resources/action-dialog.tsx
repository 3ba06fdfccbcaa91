import type { ApplicationView, CommandView } from '@muster/api';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Dialog } from 'radix-ui';
import { type FormEvent, useState } from 'react';
import { hub } from '../../lib/hub.ts';
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
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        {/* No Dialog.Overlay: it writes styles into the page, which the content security policy forbids. */}
        <div aria-hidden className="fixed inset-0 z-40 bg-black/40" />
        <Dialog.Content className="fixed inset-x-0 bottom-0 z-50 mx-auto max-h-[92vh] w-full max-w-[480px] overflow-y-auto rounded-t-lg border border-line bg-panel p-4 shadow-2xl outline-none sm:top-24 sm:bottom-auto sm:rounded-lg">
          <Dialog.Title className="text-base font-semibold break-words">
            {actionTitle(action, name)}
          </Dialog.Title>
          <Dialog.Description className="mt-1 text-muted">
            {says} On {app.destination.cluster ?? app.destination.server}, for {application}.
          </Dialog.Description>
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
              <Dialog.Close asChild>
                <Button>{act.isSuccess || act.isPending ? 'Close' : 'Cancel'}</Button>
              </Dialog.Close>
              {!act.isSuccess && (
                <Button type="submit" primary danger={danger ?? false} disabled={act.isPending}>
                  {label}
                </Button>
              )}
            </div>
          </form>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
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
