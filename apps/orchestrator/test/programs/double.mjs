// A function as an agent.
export default async function double({ input }) {
  return { headline: 'All doubled', table: { columns: ['name', 'value'], rows: [['twice', input.with.value * 2]] } };
}
