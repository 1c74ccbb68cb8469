// The same view as `components/summary.py`, as one writes it in JavaScript.

const DECODER = new TextDecoder();
const ENCODER = new TextEncoder();

export function evolve(stateView, events) {
  const state = stateView.content === undefined
    ? { balance: 0, transaction_count: 0 }
    : JSON.parse(DECODER.decode(stateView.content));
  for (const event of events) {
    if (event.type === "account.credited") {
      state.balance += JSON.parse(event.data.val).amount;
      state.transaction_count += 1;
    }
  }
  return ENCODER.encode(JSON.stringify(state));
}
