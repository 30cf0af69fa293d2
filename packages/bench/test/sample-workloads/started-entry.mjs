export default { question: 'x' };
