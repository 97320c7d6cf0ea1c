//! Many questions over one call.

use super::*;

#[tokio::test]
async fn a_stream_answers_in_order_and_survives_a_failed_question() {
    let mut wrong = question("m", "b");
    wrong.raw_input_contents = vec![Bytes::from_static(&[0; 3])];
    let questions = [
        question("m", "a"),
        wrong,
        question("nobody", "c"),
        question("m", "d"),
    ];
    let mut answers = client(&open())
        .model_stream_infer(stream::iter(questions))
        .await
        .unwrap()
        .into_inner();
    let mut seen = Vec::new();
    while let Some(answer) = answers.next().await {
        let answer = answer.unwrap();
        seen.push((answer.infer_response.unwrap().id, answer.error_message));
    }
    let ids: Vec<&str> = seen.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(ids, ["a", "b", "c", "d"]);
    assert!(seen[0].1.is_empty() && seen[3].1.is_empty());
    assert!(seen[1].1.contains("`input`"), "{}", seen[1].1);
    assert!(seen[2].1.contains("`nobody`"), "{}", seen[2].1);
}

#[tokio::test]
async fn a_client_that_asks_for_a_status_gets_one_and_the_stream_ends() {
    let mut request = Request::new(stream::iter([question("nobody", ""), question("m", "")]));
    request
        .metadata_mut()
        .insert("triton_grpc_error", "true".parse().unwrap());
    let mut answers = client(&open())
        .model_stream_infer(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        answers.next().await.unwrap().unwrap_err().code(),
        Code::NotFound
    );
    assert!(answers.next().await.is_none());
}

#[tokio::test]
async fn an_answer_says_that_it_is_the_last_when_asked() {
    let yes = InferParameter {
        parameter_choice: Some(ParameterChoice::BoolParam(true)),
    };
    let mut asking = question("m", "");
    asking
        .parameters
        .insert("triton_enable_empty_final_response".to_owned(), yes.clone());
    let questions = stream::iter([asking, question("m", "")]);
    let answers = client(&open())
        .model_stream_infer(questions)
        .await
        .unwrap()
        .into_inner();
    let marks: Vec<_> = answers
        .map(|answer| {
            answer
                .unwrap()
                .infer_response
                .unwrap()
                .parameters
                .remove("triton_final_response")
        })
        .collect()
        .await;
    assert_eq!(marks, [Some(yes), None]);
}

#[tokio::test]
async fn a_stream_asks_who_may_ask_which_model() {
    let questions = stream::iter([question("m", "")]);
    let mut answers = guarded()
        .model_stream_infer(bearing("other", questions))
        .await
        .unwrap()
        .into_inner();
    let refused = answers.next().await.unwrap().unwrap();
    assert!(!refused.error_message.is_empty());
    let stranger = guarded()
        .model_stream_infer(stream::iter([question("m", "")]))
        .await;
    assert_eq!(stranger.unwrap_err().code(), Code::Unauthenticated);
}
