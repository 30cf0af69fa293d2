/** A graph of agent tasks: schema, plan, journal, engine; resumes after any crash and pays for nothing twice. */
export {};
