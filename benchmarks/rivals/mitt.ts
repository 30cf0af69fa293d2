import * as mitt from 'mitt';

interface Emitter<Message> {
  on(subject: string, visit: (message: Message) => void): void;
  emit(subject: string, message: Message): void;
}

export function openMitt<Message>(): Emitter<Message> {
  // Its types describe the CommonJS file; what is imported is the module, whose default export is the function itself.
  const create: unknown = mitt.default;
  return (create as () => Emitter<Message>)();
}
