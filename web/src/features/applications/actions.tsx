import type { ApplicationView, CommandView } from '@muster/api';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Pin, PinOff, RefreshCw, RotateCw } from 'lucide-react';
import { useState } from 'react';
import { hub } from '../../lib/hub.ts';
import { ErrorNotice } from '../../ui/notice.tsx';
import { type Offer, needsRole } from '../../ui/offer.ts';
import { VerbButtons } from '../../ui/verb-buttons.tsx';
import { PinDialog } from '../pins/pin-dialog.tsx';
import { type PinVerb, pinOffers } from '../pins/pins.ts';
import { allows } from '../session/permissions.ts';
import { sessionQuery } from '../session/queries.ts';

const WAIT_SECONDS = 50;

type Command = 'sync' | 'refresh';
type Act = Command | PinVerb;

/** Sync, refresh and pins; says how the command ended, and who may not is told why. */
export function Actions({ app }: { app: ApplicationView }) {
  const { data: session } = useQuery(sessionQuery);
  const [pin, setPin] = useState<PinVerb>();
  const [told, setTold] = useState('');
  const { namespace, name } = app;
  const act = useMutation({
    mutationFn: async (verb: Command): Promise<CommandView | undefined> => {
      const { command } =
        verb === 'sync'
          ? await hub.applications.sync(namespace, name)
          : await hub.applications.refresh(namespace, name);
      return command === undefined ? undefined : await hub.command(command, WAIT_SECONDS);
    },
  });
  const ask = (what: Act) => {
    setTold('');
    if (what === 'pin' || what === 'unpin') setPin(what);
    else act.mutate(what);
  };
  const running = act.isPending ? act.variables : undefined;
  const mayOperate = allows(session, 'operator', app.project);
  return (
    <div className="border-b border-line px-4 py-2.5">
      <VerbButtons<Act>
        label="Actions"
        offers={[...commandOffers(app, mayOperate), ...pinOffers(app, mayOperate)]}
        onAsk={ask}
        icon={(what) => <ActIcon act={what} running={running} />}
        busy={act.isPending}
        primary
      />
      <p role="status" className="mt-1 min-w-0 break-words text-muted empty:hidden">
        {running && `${running === 'sync' ? 'Sync' : 'Refresh'} sent, waiting for the cluster …`}
        {act.isSuccess && told === '' && <Outcome verb={act.variables} command={act.data} />}
        {told}
      </p>
      {act.isError && <ErrorNotice error={act.error} />}
      {pin && (
        <PinDialog
          app={app}
          verb={pin}
          close={() => setPin(undefined)}
          onDone={(words) => {
            setPin(undefined);
            setTold(words);
          }}
        />
      )}
    </div>
  );
}

function commandOffers({ project, leaving, revision }: ApplicationView, mayOperate: boolean): Offer<Act>[] {
  const refused = mayOperate ? undefined : needsRole('operator', project);
  const cannot =
    refused ?? (leaving ? 'It is leaving.' : revision ? undefined : 'There is nothing rendered to sync yet.');
  return [
    { ask: 'sync', label: 'Sync', danger: false, ...(cannot !== undefined && { refused: cannot }) },
    { ask: 'refresh', label: 'Refresh', danger: false, ...(refused !== undefined && { refused }) },
  ];
}

const ICONS = { sync: RotateCw, refresh: RefreshCw, pin: Pin, unpin: PinOff };

function ActIcon({ act, running }: { act: Act; running: Command | undefined }) {
  const Icon = ICONS[act];
  return <Icon className={`size-3.5 ${running === act ? 'spin' : ''}`} aria-hidden />;
}

function Outcome({ verb, command }: { verb: Command; command: CommandView | undefined }) {
  const what = verb === 'sync' ? 'Sync' : 'Refresh';
  if (!command) return <>The source is read again; the cluster has nothing of it to compare yet.</>;
  const { outcome, message } = command;
  if (!outcome)
    return (
      <>
        {command.sentAt
          ? 'The cluster has not answered yet.'
          : 'The cluster is not connected; it is told when it is.'}
      </>
    );
  return (
    <span className={outcome === 'succeeded' ? 'text-good' : 'text-bad'}>
      {what} {outcome}
      {message && `: ${message}`}
    </span>
  );
}
