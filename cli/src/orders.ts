import type { CommandStarted, CommandView } from '@muster/api';
import type { Context } from './host.ts';
import { printList } from './output.ts';
import { noteSilence } from './wait.ts';

/** What became of what was asked of one Application, or of an object of it. */
export interface Order extends Partial<CommandStarted> {
  /** `namespace/name`. */
  application: string;
  /** As `muster app tree` names it. */
  resource?: string;
  action?: string;
  outcome?: CommandView['outcome'];
  message?: string | undefined;
}

/** Tells what becomes of orders: a line for each as it comes; in other formats than tables all of them at the end. */
export interface Orders {
  /** It was given; that its cluster is silent is said at once. */
  given(order: Order): void;
  /** What there is to say of it. `line` is what people read. */
  told(order: Order, line: string): void;
  end(): void;
}

export function ordersTo(context: Pick<Context, 'terminal' | 'format'>): Orders {
  const { terminal, format } = context;
  const asLines = format === 'table' || format === 'wide';
  const all: Order[] = [];
  return {
    given: (order) => noteSilence(context, order),
    told: (order, line) => {
      all.push(order);
      if (asLines) terminal.out(line);
    },
    end: () => {
      if (!asLines)
        printList(terminal, format, all, {
          name: ({ resource, application }) => resource ?? application,
          columns: [],
        });
    },
  };
}
