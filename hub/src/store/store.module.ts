import { type DynamicModule, Module } from '@nestjs/common';
import { DATABASE, DATABASE_URL, type Db } from './database.ts';
import { Notifications } from './notifications.ts';
import { Sealer } from './sealer.ts';

/** What `main.ts` opened before the app, and closes after it. */
export interface Store {
  url: string;
  db: Db;
  sealer: Sealer;
  notifications: Notifications;
}

/** Gives DATABASE, Sealer and Notifications to every module. */
@Module({})
export class StoreModule {
  static forRoot(store: Store): DynamicModule {
    return {
      module: StoreModule,
      global: true,
      providers: [
        { provide: DATABASE, useValue: store.db },
        { provide: DATABASE_URL, useValue: store.url },
        { provide: Sealer, useValue: store.sealer },
        { provide: Notifications, useValue: store.notifications },
      ],
      exports: [DATABASE, DATABASE_URL, Sealer, Notifications],
    };
  }
}
