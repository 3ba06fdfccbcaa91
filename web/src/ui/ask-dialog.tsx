import { useMutation } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { AskText } from './ask-text.ts';
import { Labelled, TextField } from './field.tsx';
import { Modal, ModalClose } from './modal.tsx';
import { ErrorNotice } from './notice.tsx';
import { Button } from './parts.tsx';

interface AskDialogProps<Answer> {
  text: AskText;
  /** What besides the reason is asked for. */
  fields?: ReactNode;
  /** What is missing or wrong in those, in words. */
  wrong?: string | undefined;
  /** Asks the hub; the reason is trimmed. */
  ask: (reason: string) => Promise<Answer>;
  close: () => void;
  /** The hub has agreed; the page shows what comes of it as it hears of it. */
  onDone: (answer: Answer) => void;
}

/** Says what will happen and to whom, asks why, and asks the hub. */
export function AskDialog<Answer>({ text, fields, wrong, ask, close, onDone }: AskDialogProps<Answer>) {
  const [reason, setReason] = useState('');
  const [asked, setAsked] = useState(false);
  // What is asked is what was read: the words do not change under the hand that presses the button.
  const [{ title, label, says, needsReason, asksReason = true, danger }] = useState(text);
  const act = useMutation({ mutationFn: () => ask(reason.trim()), onSuccess: onDone });
  const noReason = needsReason && reason.trim() === '';
  const missing = noReason ? 'Say why: whoever comes next will ask.' : wrong;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!missing) act.mutate();
  };
  return (
    <Modal title={title} close={close} says={says.map((each) => <p key={each}>{each}</p>)}>
      <form noValidate onSubmit={submit} className="mt-3 space-y-3">
        <fieldset disabled={act.isPending} className="space-y-3">
          {fields}
          {asksReason && (
            <Labelled
              text={`Reason, for the audit log and the history${needsReason ? '' : ' (may be left out)'}`}
            >
              <TextField
                value={reason}
                maxLength={1000}
                required={needsReason}
                aria-invalid={asked && noReason}
                onChange={(event) => setReason(event.target.value)}
                className="w-full"
              />
            </Labelled>
          )}
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
          <Button type="submit" primary danger={danger ?? needsReason} disabled={act.isPending}>
            {act.isPending ? 'Asking the hub …' : label}
          </Button>
        </div>
      </form>
    </Modal>
  );
}
